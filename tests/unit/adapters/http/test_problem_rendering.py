import json
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from adapters.http.errors import MethodNotAllowedError, RouteNotFoundError
from adapters.http.problems import Occurrence, headers_of, openai_error, problem, report
from domain.identity.errors import (
    CredentialsInvalidError,
    CredentialsMissingError,
    KeyNameTakenError,
    KeyNotFoundError,
)
from domain.inference.errors import (
    ContextLengthExceededError,
    LedgerUnavailableError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
)
from domain.models.errors import ModelNotAllowedError, ModelNotFoundError
from domain.shared.errors import (
    FieldError,
    InvalidError,
    LimitExceededError,
    StoaError,
    TechnicalError,
    TooLargeError,
    UnavailableError,
)

HERE = Occurrence(request_id=UUID(int=7), correlation_id="c-1")


def envelope(error: StoaError) -> tuple[int, dict[str, Any]]:
    answer = openai_error(error)
    body: dict[str, Any] = json.loads(answer.body)["error"]
    assert list(body) == ["message", "type", "param", "code"]
    return answer.status, body


@pytest.mark.parametrize(
    ("error", "status", "kind", "param", "code"),
    [
        (InvalidError("no"), 400, "invalid_request_error", None, None),
        (InvalidError("no", param="n"), 400, "invalid_request_error", "n", "invalid_value"),
        (
            ContextLengthExceededError("long", param="messages"),
            400,
            "invalid_request_error",
            "messages",
            "context_length_exceeded",
        ),
        (CredentialsMissingError(), 401, "authentication_error", None, "invalid_api_key"),
        (CredentialsInvalidError(), 401, "authentication_error", None, "invalid_api_key"),
        (ModelNotAllowedError("m"), 403, "permission_error", "model", "model_not_allowed"),
        (ModelNotFoundError("m"), 404, "invalid_request_error", "model", "model_not_found"),
        (RouteNotFoundError("GET", "/v1/x"), 404, "not_found_error", None, "unknown_url"),
        (
            MethodNotAllowedError("PUT", "/v1/x", "GET"),
            405,
            "invalid_request_error",
            None,
            "method_not_supported",
        ),
        (TooLargeError("big"), 413, "invalid_request_error", None, "payload_too_large"),
        (LimitExceededError("fast"), 429, "rate_limit_error", None, "rate_limit_exceeded"),
        (ProviderRateLimitedError("fast"), 429, "rate_limit_error", None, "rate_limit_exceeded"),
        (TechnicalError("oops"), 500, "api_error", None, "internal_error"),
        (ProviderFailedError("bad"), 502, "api_error", None, "provider_error"),
        (ProviderCredentialsError("bad"), 502, "api_error", None, "provider_credentials"),
        (ProviderBusyError("full"), 503, "api_error", None, "provider_overloaded"),
        (LedgerUnavailableError("away"), 503, "api_error", None, "ledger_unavailable"),
        (ProviderTimedOutError("slow"), 504, "api_error", None, "provider_timeout"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, StoaError) else "",
)
def test_speaks_openais_dialect(
    error: StoaError, status: int, kind: str, param: str | None, code: str | None
) -> None:
    found_status, body = envelope(error)

    assert found_status == status
    assert body == {"message": error.message, "type": kind, "param": param, "code": code}


def test_a_providers_refusal_keeps_the_providers_own_words() -> None:
    error = ProviderRejectedError(
        "Bad tools.", param="tools", provider_type="tool_error", provider_code="bad_tool"
    )

    status, body = envelope(error)

    assert status == 400
    assert (body["type"], body["param"], body["code"]) == ("tool_error", "tools", "bad_tool")


def test_a_providers_refusal_without_words_is_an_invalid_request() -> None:
    _, body = envelope(ProviderRejectedError("Bad."))

    assert (body["type"], body["code"]) == ("invalid_request_error", None)


@pytest.mark.parametrize("kind", [ProviderRejectedError, ContextLengthExceededError])
def test_a_providers_own_words_may_repeat_the_prompt_and_are_not_logged(
    kind: type[InvalidError],
) -> None:
    with capture_logs() as logs:
        report(kind("no answer to 'my prompt'"))

    assert logs == [
        {
            "event": "request.refused",
            "log_level": "warning",
            "code": kind.code,
            "reason": "[OMITTED]",
        }
    ]


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (CredentialsMissingError(), [(b"www-authenticate", b"Bearer")]),
        (MethodNotAllowedError("PUT", "/x", "GET, POST"), [(b"allow", b"GET, POST")]),
        (
            LimitExceededError("fast", retry_after=1.25),
            [(b"retry-after", b"2"), (b"retry-after-ms", b"1250")],
        ),
        (LimitExceededError("no money left"), []),
        (
            UnavailableError("away", retry_after=5),
            [(b"retry-after", b"5"), (b"retry-after-ms", b"5000")],
        ),
        (UnavailableError("away"), [(b"retry-after", b"1"), (b"retry-after-ms", b"1000")]),
        (KeyNotFoundError(), []),
    ],
)
def test_an_error_brings_its_headers(error: StoaError, headers: list[tuple[bytes, bytes]]) -> None:
    found = headers_of(error)

    assert found == headers
    assert openai_error(error).headers == headers


def test_a_functional_problem_has_all_members() -> None:
    body = problem(KeyNameTakenError("ci"), HERE)

    assert body == {
        "type": "/problems/key-name-taken",
        "title": "Conflict",
        "status": 409,
        "detail": "There is already an API key named 'ci'.",
        "instance": f"urn:uuid:{UUID(int=7)}",
        "code": "KEY_NAME_TAKEN",
        "message": "There is already an API key named 'ci'.",
        "kind": "FUNCTIONAL",
        "correlation_id": "c-1",
    }


def test_an_invalid_requests_problem_names_the_fields() -> None:
    error = InvalidError("no", errors=(FieldError("name", "is required", "missing"),))

    body = problem(error, HERE)

    assert body["errors"] == [{"field": "name", "message": "is required", "code": "missing"}]


def test_a_technical_problem_has_the_id_that_was_logged() -> None:
    occurrence = Occurrence(request_id=UUID(int=7), correlation_id="c-1", error_id=UUID(int=8))

    body = problem(TechnicalError("oops"), occurrence)

    assert body["kind"] == "TECHNICAL"
    assert body["id"] == str(UUID(int=8))
