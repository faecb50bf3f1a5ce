from typing import Any

import pytest
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    ServiceUnavailableException,
    TooManyRequestsException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from adapters.http.errors import INTERNAL_MESSAGE, translate
from adapters.http.kinds import kind_of
from domain.identity.errors import KeyNotFoundError
from domain.shared.errors import InvalidError, StoaError


def translated(exception: Exception) -> StoaError:
    return translate(exception, method="GET", path="/here")


def invalid(extra: Any) -> InvalidError:
    error = translated(ValidationException("GET /here?secret=canary", extra=extra))
    assert isinstance(error, InvalidError)
    return error


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (ClientException("canary"), 400, "VALIDATION_ERROR"),
        (NotAuthorizedException("canary"), 401, "UNAUTHENTICATED"),
        (PermissionDeniedException("canary"), 403, "FORBIDDEN"),
        (NotFoundException("canary"), 404, "ROUTE_NOT_FOUND"),
        (MethodNotAllowedException("canary"), 405, "METHOD_NOT_ALLOWED"),
        (RequestEntityTooLarge("canary"), 413, "PAYLOAD_TOO_LARGE"),
        (ClientException("canary", status_code=415), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (TooManyRequestsException("canary"), 429, "RATE_LIMITED"),
        (HTTPException("canary", status_code=500), 500, "INTERNAL_ERROR"),
        (ServiceUnavailableException("canary"), 503, "SERVICE_UNAVAILABLE"),
        (KeyError("canary"), 500, "INTERNAL_ERROR"),
    ],
)
def test_the_frameworks_exceptions_find_their_place(
    exception: Exception, status: int, code: str
) -> None:
    error = translated(exception)

    assert (kind_of(type(error)).status, error.code) == (status, code)
    assert "canary" not in error.message


def test_our_own_errors_pass() -> None:
    error = KeyNotFoundError()

    assert translated(error) is error


def test_the_unforeseen_says_nothing() -> None:
    assert translated(ValueError("canary")).message == INTERNAL_MESSAGE


def test_a_method_that_is_not_allowed_names_those_that_are() -> None:
    error = translated(MethodNotAllowedException(headers={"allow": "PATCH, GET"}))

    assert error.message == "Not allowed to GET on /here. Allowed: GET, PATCH."


@pytest.mark.parametrize(
    ("entry", "field", "message", "code"),
    [
        (
            {"message": "Expected `int`, got `str`", "key": "page", "source": "query"},
            "page",
            "expected `int`, got `str`",
            "invalid",
        ),
        (
            {"message": "Object missing required field `name`", "key": "data"},
            "name",
            "is required",
            "missing",
        ),
        (
            {"message": "Object contains unknown field `nme`", "key": "data"},
            "nme",
            "is not known",
            "unknown",
        ),
        (
            {"message": "Object contains unknown field `b`", "key": "a"},
            "a.b",
            "is not known",
            "unknown",
        ),
        (
            {"message": "Invalid enum value 'canary'", "key": "status"},
            "status",
            "is none of the values allowed here",
            "invalid",
        ),
        ({"message": "'data'", "key": "data"}, "", "the request needs a JSON body", "missing"),
    ],
)
def test_a_wrong_field_is_named_without_its_value(
    entry: dict[str, str], field: str, message: str, code: str
) -> None:
    error = invalid([entry])

    (found,) = error.errors
    assert (found.field, found.message, found.code) == (field, message, code)
    assert "canary" not in error.message


def test_several_wrong_fields_are_counted() -> None:
    error = invalid([{"message": "Bad", "key": "a"}, {"message": "Bad", "key": "b"}])

    assert error.message == "'a': bad (1 more)."
    assert error.param == "a"


def test_a_refusal_without_fields_is_still_invalid() -> None:
    assert invalid(None).message == "The request is not valid."
