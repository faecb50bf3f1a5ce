"""What the API's document says of the operations beside texts."""

from typing import Any

from adapters.http.openai.media_requests import (
    TRANSCRIPT_FORMATS,
    ImageRequest,
    ModerationRequest,
    RerankRequest,
    SpeechRequest,
)
from adapters.http.openapi_operations import ExtraOperation, JsonSchema

_TEXT = {"type": "string"}
_COUNT = {"type": "integer"}
_NUMBER = {"type": "number"}
_OBJECT = {"type": "object"}
_BYTES = {"type": "string", "format": "binary"}


def _object(required: tuple[str, ...], **properties: Any) -> JsonSchema:
    return {"type": "object", "required": list(required), "properties": properties}


def _list_of(item: JsonSchema) -> JsonSchema:
    return {"type": "array", "items": item}


_RANKING = _object(
    ("results",),
    id=_TEXT,
    model=_TEXT,
    results=_list_of(
        _object(
            ("index", "relevance_score"),
            index=_COUNT,
            relevance_score=_NUMBER,
            document=_OBJECT,
        )
    ),
    usage=_OBJECT,
)
_MODERATION = _object(
    ("id", "model", "results"),
    id=_TEXT,
    model=_TEXT,
    results=_list_of(
        _object(
            ("flagged", "categories", "category_scores"),
            flagged={"type": "boolean"},
            categories=_OBJECT,
            category_scores=_OBJECT,
        )
    ),
)
_IMAGES = _object(
    ("data",),
    created=_COUNT,
    data=_list_of({"type": "object", "properties": {"b64_json": _TEXT, "url": _TEXT}}),
    usage=_OBJECT,
)
_TYPED_EVENT = _object(("type",), type=_TEXT)
_UPLOAD = _object(
    ("file", "model"),
    file=_BYTES,
    model=_TEXT,
    language=_TEXT,
    prompt=_TEXT,
    response_format={"enum": list(TRANSCRIPT_FORMATS)},
    stream={"type": "boolean"},
    temperature=_NUMBER,
)
_TRANSCRIPT = _object(("text",), text=_TEXT, duration=_NUMBER, usage=_OBJECT)


# Their errors are those of all operations of the data plane.
MEDIA_OPERATIONS = (
    ExtraOperation(
        method="post",
        path="/v1/rerank",
        operation_id="create_reranking",
        summary="Rank documents",
        description="Documents in the order in which they answer a query, in the shape of "
        "Cohere's and Jina's API.",
        request=RerankRequest,
        response=_RANKING,
    ),
    ExtraOperation(
        method="post",
        path="/v1/moderations",
        operation_id="create_moderation",
        summary="Classify contents",
        description="OpenAI's moderations. Without a `model` the team's default answers.",
        request=ModerationRequest,
        response=_MODERATION,
    ),
    ExtraOperation(
        method="post",
        path="/v1/images/generations",
        operation_id="create_image",
        summary="Draw images",
        description="OpenAI's images. With `stream` the partial images come as server-sent "
        "events where the provider has them. Without a `model` the team's default answers.",
        request=ImageRequest,
        response=_IMAGES,
        events=_TYPED_EVENT,
    ),
    ExtraOperation(
        method="post",
        path="/v1/audio/transcriptions",
        operation_id="create_transcription",
        summary="Transcribe a recording",
        description="OpenAI's transcriptions: a form with the recording, which reaches the "
        "provider byte for byte.",
        request=_UPLOAD,
        request_type="multipart/form-data",
        response=_TRANSCRIPT,
        other_responses={"text/plain": _TEXT, "text/vtt": _TEXT},
        events=_TYPED_EVENT,
    ),
    ExtraOperation(
        method="post",
        path="/v1/audio/speech",
        operation_id="create_speech",
        summary="Read a text aloud",
        description="OpenAI's speech: the sound as it arrives, or server-sent events with "
        "`stream_format` `sse`.",
        request=SpeechRequest,
        response=None,
        other_responses={"audio/*": _BYTES},
        events=_TYPED_EVENT,
    ),
)
