"""What the API's document says of the doors for Anthropic's clients.

The schemas are those of what Stoa itself reads; whatever else a provider understands passes through
both ways, so none of them is closed.
"""

from adapters.http.anthropic.requests import CountTokensRequest, MessagesRequest
from adapters.http.openapi_operations import ExtraOperation, JsonSchema

ERRORS = (400, 401, 402, 403, 404, 405, 413, 415, 429, 500, 502, 504, 529)

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_COUNT = {"type": "integer"}
_USAGE: JsonSchema = {
    "type": "object",
    "required": ["input_tokens", "output_tokens"],
    "properties": {
        "input_tokens": _COUNT,
        "cache_creation_input_tokens": {"type": ["integer", "null"]},
        "cache_read_input_tokens": {"type": ["integer", "null"]},
        "output_tokens": _COUNT,
    },
}
_BLOCK = {"type": "object", "required": ["type"], "properties": {"type": _TEXT}}
_MESSAGE: JsonSchema = {
    "type": "object",
    "required": ["id", "type", "role", "model", "content", "stop_reason", "usage"],
    "properties": {
        "id": _TEXT,
        "type": {"const": "message"},
        "role": {"const": "assistant"},
        "model": _TEXT,
        "content": {"type": "array", "items": _BLOCK},
        "stop_reason": _TEXT_OR_NULL,
        "stop_sequence": _TEXT_OR_NULL,
        "usage": _USAGE,
    },
}
_EVENT: JsonSchema = {"type": "object", "required": ["type"], "properties": {"type": _TEXT}}

OPERATIONS = (
    ExtraOperation(
        method="post",
        path="/v1/messages",
        operation_id="create_message",
        summary="Answer a conversation, as Anthropic does",
        description="Anthropic's Messages API, with any chat model behind it. The key may be in "
        "`x-api-key`. With `stream` the answer comes as server-sent events that end with "
        "`message_stop`; pings keep the connection alive while the model thinks.",
        request=MessagesRequest,
        response=_MESSAGE,
        events=_EVENT,
        errors=ERRORS,
        dialect="anthropic",
    ),
    ExtraOperation(
        method="post",
        path="/v1/messages/count_tokens",
        operation_id="count_message_tokens",
        summary="Count the tokens of a conversation",
        description="As Anthropic's provider counts them; for other providers, which cannot "
        "count without answering, an estimate by length. It costs nothing.",
        request=CountTokensRequest,
        response={
            "type": "object",
            "required": ["input_tokens"],
            "properties": {"input_tokens": _COUNT},
        },
        errors=ERRORS,
        dialect="anthropic",
    ),
)
