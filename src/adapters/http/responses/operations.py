"""What the API's document says of the door for responses."""

from adapters.http.openapi_operations import ExtraOperation, JsonSchema
from adapters.http.responses.requests import ResponsesRequest

_TEXT: JsonSchema = {"type": "string"}
_COUNT: JsonSchema = {"type": "integer"}
_RESPONSE: JsonSchema = {
    "type": "object",
    "required": ["id", "object", "created_at", "status", "model", "output", "store"],
    "properties": {
        "id": _TEXT,
        "object": {"const": "response"},
        "created_at": _COUNT,
        "status": {
            "enum": ["completed", "incomplete", "failed", "cancelled", "in_progress", "queued"]
        },
        "model": _TEXT,
        "output": {"type": "array", "items": {"type": "object"}},
        "previous_response_id": {"type": ["string", "null"]},
        "store": {"type": "boolean", "description": "Whether it is kept."},
        "usage": {
            "type": ["object", "null"],
            "properties": {
                "input_tokens": _COUNT,
                "output_tokens": _COUNT,
                "total_tokens": _COUNT,
            },
        },
    },
}
_EVENT: JsonSchema = {
    "type": "object",
    "required": ["type", "sequence_number"],
    "properties": {"type": _TEXT, "sequence_number": _COUNT},
}

RESPONSES_OPERATIONS = (
    ExtraOperation(
        method="post",
        path="/v1/responses",
        operation_id="create_response",
        summary="Answer with a response",
        description="OpenAI's responses, of any chat model. Unless `store` is false or the team's "
        "setting `store_responses` is off, the response is kept, and a later call can go on from "
        "it with `previous_response_id`; where it could not be stored, the answer says "
        "`store: false`. With `stream` it comes as OpenAI's typed events.",
        request=ResponsesRequest,
        response=_RESPONSE,
        events=_EVENT,
        errors=(400, 401, 403, 404, 405, 413, 415, 429, 500, 502, 503, 504),
    ),
)
