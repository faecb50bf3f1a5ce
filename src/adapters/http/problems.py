"""Errors on the wire: RFC 9457 problems for Stoa's own API, OpenAI's envelope under ``/v1``."""

import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import structlog

from adapters.http.errors import MethodNotAllowedError
from adapters.http.kinds import HttpKind, is_functional, kind_of, problem_type
from application.shared.masking import OMITTED
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderRejectedError,
    RateLimitedError,
)
from domain.inference.rate import Measure
from domain.models.errors import ModelNotAllowedError, ModelNotFoundError
from domain.operations.idempotency_errors import (
    IdempotencyConflictError,
)
from domain.shared.errors import (
    BudgetExhaustedError,
    InvalidError,
    LimitExceededError,
    StoaError,
    UnauthenticatedError,
    UnavailableError,
)

log = structlog.get_logger()

PROBLEM_TYPE = "application/problem+json"
DEFAULT_RETRY_S = 1.0

# Where OpenAI has a name of its own for the same thing.
OPENAI_CODES = {
    "BUDGET_EXHAUSTED": "insufficient_quota",
    "METHOD_NOT_ALLOWED": "method_not_supported",
    "PROVIDER_RATE_LIMITED": "rate_limit_exceeded",
    "RATE_LIMITED": "rate_limit_exceeded",
    "ROUTE_NOT_FOUND": "unknown_url",
}

# These words are for the caller; they may repeat the prompt, which is never logged.
_IN_THE_PROVIDERS_WORDS = (ContextLengthExceededError, ProviderRejectedError)

Headers = list[tuple[bytes, bytes]]

# OpenAI's clients retry what has the status of a reached limit, unless they are told not to.
_NO_RETRY: Headers = [(b"x-should-retry", b"false")]


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error answer under ``/v1``; the body is the JSON envelope of the API that was called."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One happening of an error: where, and under which ids it is logged.

    ``error_id`` is there for technical errors, ``debug`` only in development.
    """

    request_id: UUID
    correlation_id: str
    error_id: UUID | None = None
    debug: dict[str, str] | None = None


def openai_error(error: StoaError) -> ErrorAnswer:
    """The error as OpenAI's API would say it."""
    kind = kind_of(type(error))
    rejected = error if isinstance(error, ProviderRejectedError) else None
    envelope = {
        "message": error.message,
        "type": (rejected and rejected.provider_type) or _openai_type(error, kind),
        "param": _param(error),
        "code": rejected.provider_code if rejected else _openai_code(error),
    }
    return ErrorAnswer(kind.status, headers_of(error), msgspec.json.encode({"error": envelope}))


def problem(error: StoaError, occurrence: Occurrence) -> dict[str, Any]:
    """The error as an RFC 9457 problem."""
    kind = kind_of(type(error))
    body: dict[str, Any] = {
        "type": problem_type(error.code),
        "title": kind.title,
        "status": kind.status,
        "detail": error.message,
        "instance": f"urn:uuid:{occurrence.request_id}",
        "code": error.code,
        "message": error.message,
        "kind": "FUNCTIONAL" if is_functional(type(error)) else "TECHNICAL",
        "correlation_id": occurrence.correlation_id,
    }
    if occurrence.error_id is not None:
        body["id"] = str(occurrence.error_id)
    if isinstance(error, InvalidError):
        body["errors"] = [msgspec.to_builtins(entry) for entry in error.errors]
    if occurrence.debug is not None:
        body["debug"] = occurrence.debug
    return body


def headers_of(error: StoaError) -> Headers:
    """The headers that belong to the error in either dialect."""
    if isinstance(error, UnauthenticatedError):
        return [(b"www-authenticate", b"Bearer")]
    if isinstance(error, MethodNotAllowedError):
        return [(b"allow", error.allow.encode())]
    return _of_repeating(error)


def _of_repeating(error: StoaError) -> Headers:
    """Whether and when it helps to send the same again: OpenAI's clients would do it at once."""
    if isinstance(error, BudgetExhaustedError):
        return [*_NO_RETRY]
    if isinstance(error, IdempotencyConflictError):
        return _retry_after(DEFAULT_RETRY_S) if error.may_retry else [*_NO_RETRY]
    if isinstance(error, LimitExceededError):
        return _of_a_limit(error)
    if isinstance(error, UnavailableError):
        return _retry_after(DEFAULT_RETRY_S if error.retry_after is None else error.retry_after)
    return []


def report(
    error: StoaError, *, error_id: UUID | None = None, cause: BaseException | None = None
) -> None:
    """Log the error: a functional one as a warning, a technical one with its traceback.

    ``cause`` is the exception that the error stands for, where that is another one.
    """
    if is_functional(type(error)):
        reason = OMITTED if isinstance(error, _IN_THE_PROVIDERS_WORDS) else error.message
        log.warning("request.refused", code=error.code, reason=reason)
        return
    log.error(
        "request.failed",
        code=error.code,
        reason=error.message,
        error_id=None if error_id is None else str(error_id),
        exc_info=cause or error,
    )


def _of_a_limit(error: LimitExceededError) -> Headers:
    if error.retry_after is not None:
        return _retry_after(error.retry_after)
    return _NO_RETRY if isinstance(error, RateLimitedError) else []


def _retry_after(seconds: float) -> Headers:
    milliseconds = max(0, math.ceil(seconds * 1000))
    return [
        (b"retry-after", str(math.ceil(milliseconds / 1000)).encode()),
        (b"retry-after-ms", str(milliseconds).encode()),
    ]


def _openai_type(error: StoaError, kind: HttpKind) -> str:
    """OpenAI says which limit was reached."""
    if not isinstance(error, RateLimitedError):
        return kind.openai_type
    return "tokens" if error.measure is Measure.TOKENS else "requests"


def _param(error: StoaError) -> str | None:
    if isinstance(error, InvalidError):
        return error.param
    if isinstance(error, ModelNotFoundError | ModelNotAllowedError):
        return "model"
    return None


def _openai_code(error: StoaError) -> str | None:
    if isinstance(error, UnauthenticatedError):
        return "invalid_api_key"
    if error.code == InvalidError.code:
        return "invalid_value" if _param(error) else None
    return OPENAI_CODES.get(error.code, error.code.lower())
