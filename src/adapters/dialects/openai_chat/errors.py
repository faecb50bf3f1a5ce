"""Errors in the words of OpenAI, for the middle of a stream."""

import msgspec

from domain.inference.errors import ProviderRejectedError
from domain.shared.errors import (
    FunctionalError,
    InvalidError,
    LimitExceededError,
    StoaError,
    UnavailableError,
)

_TYPES: tuple[tuple[type[StoaError], str], ...] = (
    (LimitExceededError, "rate_limit_error"),
    (FunctionalError, "invalid_request_error"),
    (UnavailableError, "service_unavailable_error"),
)


def write_error(error: StoaError) -> bytes:
    rejected = error if isinstance(error, ProviderRejectedError) else None
    known = next((word for kind, word in _TYPES if isinstance(error, kind)), "api_error")
    envelope = {
        "message": error.message,
        "type": (rejected and rejected.provider_type) or known,
        "param": error.param if isinstance(error, InvalidError) else None,
        "code": rejected.provider_code if rejected else error.code.lower(),
    }
    return b"data: " + msgspec.json.encode({"error": envelope}) + b"\n\n"
