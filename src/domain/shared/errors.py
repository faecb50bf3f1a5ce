"""The taxonomy of everything that can go wrong.

A *functional* error is one the caller can act on; a *technical* one is ours or a provider's.
Contexts subclass a kind and set a stable ``code``; no kind knows of HTTP, which maps kinds once.

    StoaError
    ├── FunctionalError
    │   ├── InvalidError            the input is wrong (names the parameter)
    │   ├── UnauthenticatedError    nobody we know
    │   ├── ForbiddenError          known, but not allowed
    │   ├── NotFoundError           missing, or another team's
    │   ├── ConflictError           contradicts the present state
    │   ├── TooLargeError           more bytes than we take
    │   └── LimitExceededError      too much or too fast
    │       └── BudgetExhaustedError  no money left
    └── TechnicalError
        ├── UnavailableError        try again later
        ├── UpstreamError           a provider failed
        └── UpstreamTimeoutError    a provider was too slow
"""

from dataclasses import dataclass
from typing import ClassVar

from domain.shared.usage import Usage


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field; ``field`` is a dotted path, and the submitted value is never repeated."""

    field: str
    message: str
    code: str = "invalid"


class StoaError(Exception):
    """Root of the taxonomy; ``message`` is written for the caller and safe to show.

    ``provider_request_id`` is what a provider calls the request that it refused or failed, and
    ``spent`` is what it will bill all the same, where it had answered before things went wrong.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    provider_request_id: str | None = None
    spent: Usage | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FunctionalError(StoaError):
    """The caller can act on it."""

    code = "INVALID_REQUEST"


class InvalidError(FunctionalError):
    """The input is wrong; ``param`` names the first offending parameter."""

    code = "VALIDATION_ERROR"

    def __init__(
        self, message: str, *, param: str | None = None, errors: tuple[FieldError, ...] = ()
    ) -> None:
        super().__init__(message)
        self.param = param
        self.errors = errors


class UnauthenticatedError(FunctionalError):
    """The caller is nobody we know."""

    code = "UNAUTHENTICATED"


class ForbiddenError(FunctionalError):
    """The caller is known but may not do this."""

    code = "FORBIDDEN"


class NotFoundError(FunctionalError):
    """The object is missing, or belongs to another team: the two cannot be told apart."""

    code = "NOT_FOUND"


class ConflictError(FunctionalError):
    """The request contradicts the present state."""

    code = "CONFLICT"


class TooLargeError(FunctionalError):
    """The request has more bytes than the server takes."""

    code = "PAYLOAD_TOO_LARGE"


class LimitExceededError(FunctionalError):
    """Too much or too fast; ``retry_after`` is in seconds where waiting helps."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BudgetExhaustedError(LimitExceededError):
    """A hard budget of the team, the user or the key has no room for what the call may cost at
    most. Repeating the call at once does not help."""

    code = "BUDGET_EXHAUSTED"


class TechnicalError(StoaError):
    """Not the caller's fault."""

    code = "INTERNAL_ERROR"


class UnavailableError(TechnicalError):
    """A part of Stoa is not there now; ``retry_after`` is in seconds."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamError(TechnicalError):
    """A provider failed or answered something that is no answer."""

    code = "PROVIDER_ERROR"


class UpstreamTimeoutError(TechnicalError):
    """A provider did not answer in time."""

    code = "PROVIDER_TIMEOUT"
