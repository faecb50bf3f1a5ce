"""What the API's document says of the data plane, whose handlers the framework does not look into.

The schemas are those of what Stoa itself reads; whatever else a provider understands passes through
both ways, so none of them is closed.
"""

from dataclasses import replace
from typing import Any

from adapters.http.openai.media_operations import MEDIA_OPERATIONS
from adapters.http.openai.requests import ChatRequest, CompletionRequest, EmbeddingRequest
from adapters.http.openapi_operations import ExtraOperation, JsonSchema

ERRORS = (400, 401, 403, 404, 405, 413, 415, 429, 500, 502, 503, 504)

_TEXT = {"type": "string"}
_COUNT = {"type": "integer"}


def _object(required: tuple[str, ...], **properties: Any) -> JsonSchema:
    return {"type": "object", "required": list(required), "properties": properties}


def _list_of(item: JsonSchema) -> JsonSchema:
    return {"type": "array", "items": item}


_USAGE = _object(
    ("prompt_tokens", "total_tokens"),
    prompt_tokens=_COUNT,
    completion_tokens=_COUNT,
    total_tokens=_COUNT,
)
_MESSAGE = _object(("role",), role=_TEXT, content={"type": ["string", "null"]})
_CHOICE = _object(
    ("index", "message", "finish_reason"),
    index=_COUNT,
    message=_MESSAGE,
    finish_reason={"type": ["string", "null"]},
)
_CHAT_ANSWER = _object(
    ("id", "object", "created", "model", "choices"),
    id=_TEXT,
    object={"const": "chat.completion"},
    created=_COUNT,
    model=_TEXT,
    choices=_list_of(_CHOICE),
    usage=_USAGE,
)
_CHAT_CHUNK = _object(
    ("id", "object", "created", "model", "choices"),
    id=_TEXT,
    object={"const": "chat.completion.chunk"},
    created=_COUNT,
    model=_TEXT,
    choices=_list_of({"type": "object"}),
)
_COMPLETION_ANSWER = _object(
    ("id", "object", "created", "model", "choices"),
    id=_TEXT,
    object={"const": "text_completion"},
    created=_COUNT,
    model=_TEXT,
    choices=_list_of(_object(("index", "text"), index=_COUNT, text=_TEXT)),
    usage=_USAGE,
)
_EMBEDDING_ANSWER = _object(
    ("object", "data", "model", "usage"),
    object={"const": "list"},
    data=_list_of(
        _object(
            ("object", "index", "embedding"),
            object={"const": "embedding"},
            index=_COUNT,
            embedding={
                "oneOf": [
                    {"type": "array", "items": {"type": "number"}},
                    {"type": "string", "description": "Base64 of little-endian 32-bit floats."},
                ]
            },
        )
    ),
    model=_TEXT,
    usage=_USAGE,
)

OPERATIONS = (
    ExtraOperation(
        method="post",
        path="/v1/chat/completions",
        operation_id="create_chat_completion",
        summary="Answer a chat",
        description="OpenAI's chat completions. With `stream` the answer comes as server-sent "
        "events that end with `[DONE]`; comments keep the connection alive while the model thinks.",
        request=ChatRequest,
        response=_CHAT_ANSWER,
        events=_CHAT_CHUNK,
        errors=ERRORS,
    ),
    ExtraOperation(
        method="post",
        path="/v1/completions",
        operation_id="create_completion",
        summary="Complete a text",
        description="OpenAI's legacy completions.",
        request=CompletionRequest,
        response=_COMPLETION_ANSWER,
        events=_COMPLETION_ANSWER,
        errors=ERRORS,
    ),
    ExtraOperation(
        method="post",
        path="/v1/embeddings",
        operation_id="create_embedding",
        summary="Embed texts",
        description="OpenAI's embeddings.",
        request=EmbeddingRequest,
        response=_EMBEDDING_ANSWER,
        errors=ERRORS,
    ),
    *(replace(operation, errors=ERRORS) for operation in MEDIA_OPERATIONS),
)
