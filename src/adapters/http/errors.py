"""What only a door can get wrong, and the framework's exceptions in the words of the taxonomy."""

import re
from collections.abc import Mapping
from typing import Any

from litestar.exceptions import HTTPException, ValidationException

from domain.shared.errors import (
    FieldError,
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
)

INTERNAL_MESSAGE = "Something went wrong inside Stoa. It has been logged."

_FIELD_IN_MESSAGE = re.compile(r"(missing required|contains unknown) field `([^`]*)`")
_FIELD_CODES = {"missing required": "missing", "contains unknown": "unknown"}


class RouteNotFoundError(NotFoundError):
    """Nothing is served at this path."""

    code = "ROUTE_NOT_FOUND"

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"Unknown request URL: {method} {path}.")


class MethodNotAllowedError(FunctionalError):
    """The path is served, but not for this method; the `Allow` header names those that are."""

    code = "METHOD_NOT_ALLOWED"

    def __init__(self, method: str, path: str, allow: str) -> None:
        super().__init__(f"Not allowed to {method} on {path}. Allowed: {allow}.")
        self.allow = allow


class CrossSiteRequestError(ForbiddenError):
    """The request carries the cookie of a session, but may come from another site: browsers have to
    say that it does not, in `Sec-Fetch-Site` or `Origin`."""

    code = "CROSS_SITE_REQUEST"

    def __init__(self) -> None:
        super().__init__(
            "With the cookie of a session, requests that change something have to come from a page "
            "of this server."
        )


class UnsupportedMediaTypeError(FunctionalError):
    """The request body is of a type that this endpoint does not read."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class HeadTooLargeError(TooLargeError):
    """The request line and the headers are longer than a server should have to keep."""

    code = "HEAD_TOO_LARGE"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The head of the request is larger than {limit} bytes.")


class RequestTimedOutError(FunctionalError):
    """The client took too long to send its request."""

    code = "REQUEST_TIMEOUT"

    def __init__(self, part: str) -> None:
        super().__init__(f"The {part} of the request did not arrive in time.")


_CLIENT_ERRORS: dict[int, tuple[type[FunctionalError], str]] = {
    401: (UnauthenticatedError, "This needs credentials."),
    403: (ForbiddenError, "This is not allowed."),
    413: (TooLargeError, "The request body is larger than this server takes."),
    415: (UnsupportedMediaTypeError, "The request body has a type that is not read here."),
    429: (LimitExceededError, "Too many requests."),
}
# The framework's own words may repeat the input, so they stay inside.
_UNREADABLE = (InvalidError, "The request could not be understood: is its body valid JSON?")


def translate(exception: Exception, *, method: str, path: str) -> StoaError:
    """Any exception as an error of the taxonomy; what nobody foresaw is a ``TechnicalError``."""
    if isinstance(exception, StoaError):
        return exception
    if isinstance(exception, ValidationException):
        return _validation_error(exception)
    if isinstance(exception, HTTPException) and exception.status_code < 500:  # noqa: PLR2004
        return _client_error(exception, method, path)
    if isinstance(exception, HTTPException) and exception.status_code == 503:  # noqa: PLR2004
        return UnavailableError("Stoa cannot serve this now.")
    return TechnicalError(INTERNAL_MESSAGE)


def _client_error(exception: HTTPException, method: str, path: str) -> FunctionalError:
    match exception.status_code:
        case 404:
            return RouteNotFoundError(method, path)
        case 405:
            return MethodNotAllowedError(method, path, _allowed(exception.headers or {}))
        case status:
            error, message = _CLIENT_ERRORS.get(status, _UNREADABLE)
            return error(message)


def _allowed(headers: Mapping[str, str]) -> str:
    methods = {part.strip() for part in headers.get("allow", "").split(",")} - {""}
    return ", ".join(sorted(methods))


def _validation_error(exception: ValidationException) -> InvalidError:
    extra = exception.extra if isinstance(exception.extra, list) else []
    errors = tuple(_field_error(entry) for entry in extra)
    if not errors:
        return InvalidError("The request is not valid.")
    first = errors[0]
    said = f"'{first.field}': {first.message}." if first.field else _sentence(first.message)
    message = said if len(errors) == 1 else f"{said[:-1]} ({len(errors) - 1} more)."
    return InvalidError(message, param=first.field or None, errors=errors)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _field_error(entry: dict[str, Any]) -> FieldError:
    """A field's error out of Litestar's ``{"message", "key", "source"}``, whose key for a whole
    body is ``data`` and whose message then names the field."""
    field = "" if entry.get("key") == "data" else str(entry.get("key", ""))
    message = str(entry["message"])
    if message == "'data'":
        return FieldError("", "the request needs a JSON body", "missing")
    if message.startswith("Invalid enum value"):
        # Its end repeats what was sent.
        return FieldError(field, "is none of the values allowed here")
    found = _FIELD_IN_MESSAGE.search(message)
    if found is None:
        return FieldError(field, message[:1].lower() + message[1:])
    code = _FIELD_CODES[found[1]]
    name = f"{field}.{found[2]}" if field else found[2]
    return FieldError(name, "is required" if code == "missing" else "is not known", code)
