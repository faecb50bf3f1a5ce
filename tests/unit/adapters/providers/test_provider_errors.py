import json

import pytest

from adapters.providers.failures.mapping import ErrorMapping, retry_after
from adapters.providers.failures.openai import openai_failure
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
)
from domain.shared.errors import StoaError

SECRET = "sk-very-secret"
DEEP = b'{"error":' * 100_000


def error_of(status: int, body: bytes | object, **headers: str) -> StoaError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ErrorMapping("acme", [SECRET], openai_failure).of_status(status, named.get, raw)


def envelope(message: str = "no", **members: object) -> dict[str, object]:
    return {"error": {"message": message, "type": None, "param": None, "code": None} | members}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRejectedError),
        (402, ProviderCredentialsError),
        (404, ProviderFailedError),
        (405, ProviderFailedError),
        (409, ProviderRejectedError),
        (413, ProviderRejectedError),
        (422, ProviderRejectedError),
        (401, ProviderCredentialsError),
        (403, ProviderCredentialsError),
        (408, ProviderTimedOutError),
        (504, ProviderTimedOutError),
        (429, ProviderRateLimitedError),
        (503, ProviderBusyError),
        (529, ProviderBusyError),
        (500, ProviderFailedError),
        (501, ProviderFailedError),
        (502, ProviderFailedError),
    ],
)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>no</html>", b'{"error":{"message":"no"}}', b"[1]", DEEP],
    ids=["empty", "html", "envelope", "array", "deep"],
)
def test_every_status_has_its_error(status: int, kind: type[StoaError], body: bytes) -> None:
    error = error_of(status, body)

    assert type(error) is kind
    assert error.message


def test_a_refusal_keeps_the_providers_words() -> None:
    body = envelope("'n' is wrong", type="invalid_request_error", param="n", code="bad_n")

    error = error_of(400, body)

    assert isinstance(error, ProviderRejectedError)
    assert error.message == "'n' is wrong"
    assert error.param == "n"
    assert (error.provider_type, error.provider_code) == ("invalid_request_error", "bad_n")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"object": "error", "message": "bad n", "type": "BadRequestError", "code": 400}, "bad n"),
        ({"error": "model not found"}, "model not found"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"msg": "field required"}]}, "[{'msg': 'field required'}]"),
        (b"plain\n  words", "plain words"),
        (b"\xff" + b"x" * 1000, "\ufffd" + "x" * 298 + "…"),
    ],
    ids=["vllm", "ollama", "fastapi", "pydantic", "text", "long bytes"],
)
def test_a_refusal_is_understood_in_other_shapes(body: object, message: str) -> None:
    assert error_of(400, body).message == message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, envelope("too long", code="context_length_exceeded")),
        (
            400,
            {"object": "error", "message": "The maximum context length is 4096 tokens."},
        ),
        (400, envelope("The decoder prompt is longer than the maximum model length of 4096.")),
        (
            400,
            envelope(
                "the request exceeds the available context size", type="exceed_context_size_error"
            ),
        ),
        (400, {"error": "the input length exceeds the context length"}),
        (500, {"error": "input length exceeds maximum context length"}),
        (
            400,
            {
                "error": "Trying to keep the first 5000 tokens when context the overflows. But "
                "the model is loaded with context length of only 4096 tokens"
            },
        ),
        (413, envelope("prompt is too long: 210000 tokens > 200000 maximum")),
    ],
    ids=["openai", "vllm", "vllm v1", "llama.cpp", "ollama", "ollama 500", "lm studio", "413"],
)
def test_too_long_a_prompt_is_recognised(status: int, body: object) -> None:
    assert isinstance(error_of(status, body), ContextLengthExceededError)


@pytest.mark.parametrize("status", [401, 402, 403])
def test_refused_credentials_show_nothing_of_the_body(status: int) -> None:
    error = error_of(status, envelope(f"Incorrect API key provided: {SECRET[:6]}***"))

    assert "Incorrect" not in error.message
    assert SECRET[:6] not in error.message
    assert getattr(error, "__notes__", []) == []


def test_an_empty_account_is_the_operators_business() -> None:
    error = error_of(429, envelope("You exceeded your quota", code="insufficient_quota"))

    assert isinstance(error, ProviderCredentialsError)
    assert "exceeded" not in error.message


@pytest.mark.parametrize("status", [400, 409, 422])
def test_the_key_is_masked_wherever_it_could_appear(status: int) -> None:
    body = envelope(f"bad {SECRET}", type=SECRET, param=SECRET, code=SECRET)

    error = error_of(status, body)

    assert isinstance(error, ProviderRejectedError)
    assert error.message == "bad [MASKED]"
    said = [error.param, error.provider_type, error.provider_code, *error.__notes__]
    assert not any(SECRET in (word or "") for word in said)


def test_a_failure_tells_the_callers_nothing_and_the_log_its_terms_alone() -> None:
    said = envelope("no answer to 'my prompt'", type="server_error", code="cuda_oom")

    error = error_of(500, said)

    assert error.message == "The provider 'acme' failed (HTTP 500)."
    assert error.__notes__ == ["HTTP 500 server_error cuda_oom"]


def test_a_sentence_in_place_of_a_term_stays_out_of_the_log() -> None:
    error = error_of(500, envelope("no", type="no answer to 'my prompt'", code=SECRET))

    assert error.__notes__ == ["HTTP 500 [MASKED]"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after_ms": "250", "retry_after": "1"}, 0.25),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "9" * 400}, 86_400.0),
        ({"retry_after": "100000000"}, 86_400.0),
        ({"retry_after": "Sat, 21 Nov 2026610:00:30 GM-999999999999"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_says_when_to_come_back(
    headers: dict[str, str], seconds: float | None
) -> None:
    error = error_of(429, envelope(), **headers)

    assert isinstance(error, ProviderRateLimitedError)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 10:00:30 -0000", 30.0),
        ("Sat, 21 Nov 2026 12:00:30 +0200", 30.0),
    ],
)
def test_dates_are_counted_from_the_answers_own(date: str, seconds: float) -> None:
    headers = {"retry-after": date, "date": "Sat, 21 Nov 2026 10:00:00 GMT"}

    assert retry_after(headers.get) == seconds


def test_a_date_without_another_says_nothing() -> None:
    assert retry_after({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT"}.get) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "x", "type": "invalid_request_error"}, ProviderRejectedError),
        ({"message": "x", "code": 402}, ProviderCredentialsError),
        ({"message": "x", "code": "429"}, ProviderRateLimitedError),
        ({"message": "x", "type": "overloaded_error"}, ProviderBusyError),
        ({"message": "x", "type": "strange"}, ProviderFailedError),
        ({"message": "prompt is too long"}, ContextLengthExceededError),
        ("x", ProviderFailedError),
    ],
)
def test_an_error_without_a_status_is_classified_by_its_words(
    error: object, kind: type[StoaError]
) -> None:
    body = json.dumps({"error": error}).encode()

    assert type(ErrorMapping("acme", [], openai_failure).of_body(body)) is kind
