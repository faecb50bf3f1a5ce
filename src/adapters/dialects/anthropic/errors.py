"""Errors in the words of Anthropic."""

from uuid import UUID

import msgspec

from domain.inference.errors import ProviderRejectedError, UnsupportedByModelError
from domain.shared.errors import (
    BudgetExhaustedError,
    ConflictError,
    ForbiddenError,
    FunctionalError,
    LimitExceededError,
    NotFoundError,
    StoaError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UpstreamTimeoutError,
)

_TYPES: tuple[tuple[type[StoaError], str], ...] = (
    (UnauthenticatedError, "authentication_error"),
    (ForbiddenError, "permission_error"),
    (NotFoundError, "not_found_error"),
    (ConflictError, "conflict_error"),
    (TooLargeError, "request_too_large"),
    (BudgetExhaustedError, "billing_error"),
    (LimitExceededError, "rate_limit_error"),
    (FunctionalError, "invalid_request_error"),
    (UnavailableError, "overloaded_error"),
    (UpstreamTimeoutError, "timeout_error"),
)


# Clients that would have the provider keep their conversation go on without where they are told so
# in these words.
THREAD = "thread"
_NO_THREADS = "thread_unsupported_request"


def write_envelope(error: StoaError, request_id: UUID | None = None) -> bytes:
    kind = next((word for known, word in _TYPES if isinstance(error, known)), "api_error")
    details = {"error_code": _code(error)}
    envelope = {
        "type": "error",
        "error": {"type": kind, "message": error.message, "details": details},
        "request_id": None if request_id is None else str(request_id),
    }
    return msgspec.json.encode(envelope)


def _code(error: StoaError) -> str:
    """What names the cause: Stoa's code for it, or the provider's."""
    if isinstance(error, UnsupportedByModelError) and error.param == THREAD:
        return _NO_THREADS
    if isinstance(error, ProviderRejectedError) and error.provider_code:
        return error.provider_code
    return error.code.lower()


def write_event(error: StoaError, request_id: UUID | None = None) -> bytes:
    return b"event: error\ndata: " + write_envelope(error, request_id) + b"\n\n"
