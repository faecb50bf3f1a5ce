import json
from typing import Any

import pytest

from adapters.http.anthropic.manner import AnthropicManner
from adapters.http.limit_headers import LIMIT_HEADER_NAMES, limit_headers
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderFailedError,
    ProviderRejectedError,
    ProviderTimedOutError,
    UnsupportedByModelError,
)
from domain.inference.rate import Standing, Standings
from domain.models.errors import ModelNotFoundError
from domain.shared.errors import (
    BudgetExhaustedError,
    ForbiddenError,
    LimitExceededError,
    StoaError,
    TechnicalError,
    TooLargeError,
    UnauthenticatedError,
)
from tests.fakes.clock import FrozenClock
from tests.fakes.ids import SequentialIds

MANNER = AnthropicManner(FrozenClock())
REQUEST_ID = SequentialIds().new()


def scope_of(*headers: tuple[bytes, bytes], method: str = "POST") -> Any:
    return {"type": "http", "method": method, "path": "/v1/messages", "headers": list(headers)}


@pytest.mark.parametrize(
    "header",
    [(b"x-api-key", b"sk-1"), (b"authorization", b"Bearer sk-1")],
    ids=["x-api-key", "bearer"],
)
def test_the_key_may_be_in_either_header(header: tuple[bytes, bytes]) -> None:
    assert MANNER.presented(scope_of(header)).bearer == "sk-1"


def test_who_shows_nothing_shows_nothing() -> None:
    assert MANNER.presented(scope_of((b"accept", b"*/*"))).bearer is None


def test_features_are_read_from_all_headers_of_the_name() -> None:
    scope = scope_of(
        (b"anthropic-beta", b"one-2025-01-01, two"),
        (b"anthropic-beta", b"three,\tbad one,,x\xff"),
    )

    assert MANNER.features(scope) == ("one-2025-01-01", "two", "three")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (ContextLengthExceededError("x"), 400, "invalid_request_error"),
        (UnauthenticatedError("x"), 401, "authentication_error"),
        (BudgetExhaustedError("x"), 402, "billing_error"),
        (ForbiddenError("x"), 403, "permission_error"),
        (ModelNotFoundError("x"), 404, "not_found_error"),
        (TooLargeError("x"), 413, "request_too_large"),
        (LimitExceededError("x"), 429, "rate_limit_error"),
        (TechnicalError("x"), 500, "api_error"),
        (ProviderFailedError("x"), 502, "api_error"),
        (ProviderTimedOutError("x"), 504, "timeout_error"),
        (ProviderBusyError("x", retry_after=2), 529, "overloaded_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, StoaError) else str(value),
)
def test_errors_have_anthropics_types_and_statuses(
    error: StoaError, status: int, kind: str
) -> None:
    answer = MANNER.error(error, REQUEST_ID)

    assert answer.status == status
    assert json.loads(answer.body) == {
        "type": "error",
        "error": {
            "type": kind,
            "message": error.message,
            "details": {"error_code": error.code.lower()},
        },
        "request_id": str(REQUEST_ID),
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProviderRejectedError("x", provider_code="thread_not_found"), "thread_not_found"),
        (ProviderRejectedError("x"), "provider_rejected"),
        (UnsupportedByModelError("x", param="thread"), "thread_unsupported_request"),
        (UnsupportedByModelError("x", param="seed"), "unsupported_by_model"),
    ],
    ids=["a provider's", "none of a provider", "threads", "another parameter"],
)
def test_the_cause_has_a_code(error: StoaError, code: str) -> None:
    answer = MANNER.error(error, REQUEST_ID)

    assert json.loads(answer.body)["error"]["details"] == {"error_code": code}


def test_what_may_work_later_says_when() -> None:
    answer = MANNER.error(ProviderBusyError("x", retry_after=2), REQUEST_ID)

    assert (b"retry-after", b"2") in answer.headers


def test_an_error_in_the_middle_is_an_event_of_its_own() -> None:
    event = MANNER.error_event(ProviderFailedError("It broke."), REQUEST_ID)

    name, _, data = event.partition(b"\n")
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: "))["error"]["message"] == "It broke."
    assert event.endswith(b"\n\n")


def test_answers_name_their_request() -> None:
    assert MANNER.headers(REQUEST_ID) == [(b"request-id", str(REQUEST_ID).encode())]


def test_what_remains_is_told_as_anthropic_tells_it() -> None:
    state: dict[str, Any] = {}

    MANNER.tell(state, Standings(requests=Standing(limit=60, remaining=59, reset_s=90)))

    found = {name.decode(): value.decode() for name, value in limit_headers(state)}
    assert found == {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "59",
        "anthropic-ratelimit-requests-reset": "2026-11-21T09:01:30Z",
    }
    assert set(found) < set(LIMIT_HEADER_NAMES)
