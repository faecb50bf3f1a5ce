"""The shape that Anthropic uses for failures: OpenAI's, with types of its own."""

from dataclasses import replace

import msgspec

from adapters.providers.failures.failure import Failure
from adapters.providers.failures.openai import openai_failure
from adapters.providers.json_reading import NOT_JSON

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class _Details(msgspec.Struct):
    error_code: str | None = None


class _Error(msgspec.Struct):
    details: _Details | None = None


class _Envelope(msgspec.Struct):
    error: _Error


_decoder = msgspec.json.Decoder(_Envelope)


def anthropic_failure(body: bytes) -> Failure:
    failure = openai_failure(body)
    return replace(
        failure, said_status=_STATUSES.get(failure.type or ""), code=failure.code or _code(body)
    )


def _code(body: bytes) -> str | None:
    """What names the cause more closely than the type, where there is such a thing."""
    try:
        details = _decoder.decode(body).error.details
    except NOT_JSON:
        return None
    return None if details is None else details.error_code
