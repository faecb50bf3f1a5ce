"""Errors on the wire of the Responses API, in both directions."""

from adapters.dialects.fields import Fields
from domain.inference.conversation.request import JsonObject
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
)
from domain.shared.errors import (
    FunctionalError,
    InvalidError,
    LimitExceededError,
    StoaError,
)

_RATE_LIMIT = "rate_limit_exceeded"
_CONTEXT_LENGTH = "context_length_exceeded"
# Of what a response can fail with, all else is what the prompt had wrong.
_THE_PROVIDERS = frozenset({"server_error", "vector_store_timeout", "internal_error", ""})


def read_failure(value: object) -> StoaError:
    """What ``error`` of a response, or an event ``error``, stands for."""
    fields = Fields(value if isinstance(value, dict) else {})
    code, message = _word(fields, "code"), _word(fields, "message")
    if code == _RATE_LIMIT:
        return ProviderRateLimitedError("The provider limits the rate of requests.")
    if code == _CONTEXT_LENGTH:
        return ContextLengthExceededError(message or "The prompt is too long.", param="input")
    if code in _THE_PROVIDERS:
        return ProviderFailedError("The provider failed while it answered.")
    return ProviderRejectedError(
        message or "The provider refused the request.",
        param=_word(fields, "param") or None,
        provider_code=code,
    )


def write_failure(error: StoaError) -> JsonObject:
    """The member ``error`` of a response."""
    code = "server_error"
    if isinstance(error, LimitExceededError):
        code = _RATE_LIMIT
    elif isinstance(error, FunctionalError):
        code = "invalid_prompt"
    return {"code": code, "message": error.message}


def write_error_event(error: StoaError) -> JsonObject:
    """The event ``error`` of a stream in which nothing has been numbered yet."""
    param = error.param if isinstance(error, InvalidError) else None
    kind = "invalid_request_error" if isinstance(error, FunctionalError) else "server_error"
    code = error.code.lower()
    return error_event(
        {"message": error.message, "type": kind, "param": param, "code": code}, number=0
    )


def error_event(said: JsonObject, number: int) -> JsonObject:
    """OpenAI's clients raise on the inner ``error``, and read the members around it where they do
    not."""
    around = {name: said[name] for name in ("code", "message", "param")}
    return {"type": "error", "sequence_number": number, **around, "error": said}


def _word(fields: Fields, name: str) -> str:
    value = fields.raw(name)
    return value if isinstance(value, str) else ""
