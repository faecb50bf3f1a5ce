"""The one table from the kinds of the error taxonomy to HTTP."""

from dataclasses import dataclass

from adapters.http.errors import (
    HeadTooLargeError,
    MethodNotAllowedError,
    RequestTimedOutError,
    UnsupportedMediaTypeError,
)
from domain.models.errors import ModelNotFoundError
from domain.shared.errors import (
    BudgetExhaustedError,
    ConflictError,
    ForbiddenError,
    FunctionalError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    StoaError,
    TechnicalError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)


@dataclass(frozen=True, slots=True)
class HttpKind:
    """How a kind of error looks in both dialects; ``openai_type`` is the ``type`` of OpenAI's."""

    status: int
    title: str
    openai_type: str


# OpenAI itself answers 401 with `invalid_request_error`; the class of its client's exception
# follows from the status alone, so the more telling type is used here. An unknown model, however,
# keeps OpenAI's own `invalid_request_error` with the code `model_not_found`, because programs
# compare both.
KINDS: dict[type[StoaError], HttpKind] = {
    InvalidError: HttpKind(400, "Invalid request", "invalid_request_error"),
    UnauthenticatedError: HttpKind(401, "Not authenticated", "authentication_error"),
    ForbiddenError: HttpKind(403, "Not allowed", "permission_error"),
    NotFoundError: HttpKind(404, "Not found", "not_found_error"),
    ModelNotFoundError: HttpKind(404, "Not found", "invalid_request_error"),
    MethodNotAllowedError: HttpKind(405, "Method not allowed", "invalid_request_error"),
    RequestTimedOutError: HttpKind(408, "Request timed out", "invalid_request_error"),
    ConflictError: HttpKind(409, "Conflict", "invalid_request_error"),
    TooLargeError: HttpKind(413, "Request too large", "invalid_request_error"),
    UnsupportedMediaTypeError: HttpKind(415, "Unsupported media type", "invalid_request_error"),
    HeadTooLargeError: HttpKind(431, "Request head too large", "invalid_request_error"),
    LimitExceededError: HttpKind(429, "Limit exceeded", "rate_limit_error"),
    BudgetExhaustedError: HttpKind(429, "Budget exhausted", "insufficient_quota"),
    FunctionalError: HttpKind(400, "Invalid request", "invalid_request_error"),
    UnavailableError: HttpKind(503, "Unavailable", "api_error"),
    UpstreamError: HttpKind(502, "Provider failed", "api_error"),
    UpstreamTimeoutError: HttpKind(504, "Provider timed out", "api_error"),
    TechnicalError: HttpKind(500, "Internal error", "api_error"),
    StoaError: HttpKind(500, "Internal error", "api_error"),
}


def kind_of(error: type[StoaError]) -> HttpKind:
    """The row of the nearest ancestor that has one."""
    return next(KINDS[ancestor] for ancestor in error.__mro__ if ancestor in KINDS)


def is_functional(error: type[StoaError]) -> bool:
    return issubclass(error, FunctionalError)


def problem_type(code: str) -> str:
    """The URI of a code's page, which is the ``type`` of its problems."""
    return f"/problems/{code.lower().replace('_', '-')}"
