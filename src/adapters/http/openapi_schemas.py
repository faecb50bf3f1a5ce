"""The shapes of an error, as JSON schemas."""

from typing import Any

from adapters.http.openapi_operations import Dialect
from adapters.http.problems import PROBLEM_TYPE

SCHEMA_OF_DIALECT: dict[Dialect, str] = {
    "problem": "Problem",
    "openai": "OpenAIError",
    "anthropic": "AnthropicError",
}
MEDIA_TYPE_OF_DIALECT: dict[Dialect, str] = {
    "problem": PROBLEM_TYPE,
    "openai": "application/json",
    "anthropic": "application/json",
}
# Statuses that only Anthropic has a use for.
TITLES_OF_ANTHROPIC = {402: "Budget exhausted", 529: "Overloaded"}

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_FIELD_ERROR = {
    "type": "object",
    "required": ["field", "message", "code"],
    "properties": {"field": _TEXT, "message": _TEXT, "code": _TEXT},
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An RFC 9457 problem.",
    "required": [
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "code",
        "message",
        "kind",
        "correlation_id",
    ],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Leads to a page about the code.",
        },
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": {"type": "string", "format": "uri", "description": "Names the request."},
        "code": {"type": "string", "description": "Stable; made for programs."},
        "message": {"type": "string", "description": "The same as `detail`."},
        "kind": {"type": "string", "enum": ["FUNCTIONAL", "TECHNICAL"]},
        "correlation_id": _TEXT,
        "id": {
            "type": "string",
            "format": "uuid",
            "description": "Of a technical error: where to find it in the log.",
        },
        "errors": {"type": "array", "items": _FIELD_ERROR},
    },
}
_OPENAI_ERROR: dict[str, Any] = {
    "type": "object",
    "description": "OpenAI's error envelope.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": _TEXT_OR_NULL,
                "code": _TEXT_OR_NULL,
            },
        }
    },
}

_ANTHROPIC_ERROR: dict[str, Any] = {
    "type": "object",
    "description": "Anthropic's error envelope.",
    "required": ["type", "error", "request_id"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message", "details"],
            "properties": {
                "type": _TEXT,
                "message": _TEXT,
                "details": {
                    "type": "object",
                    "required": ["error_code"],
                    "properties": {"error_code": _TEXT},
                },
            },
        },
        "request_id": _TEXT_OR_NULL,
    },
}

ERROR_SCHEMAS = {
    "Problem": _PROBLEM,
    "OpenAIError": _OPENAI_ERROR,
    "AnthropicError": _ANTHROPIC_ERROR,
}
