import asyncio
import gzip
import json
from typing import Any
from uuid import uuid4

import httpx
import openai as sdk
import pytest
from openai import OpenAI

from tests.fixtures.ledger import call_of, calls_with
from tests.fixtures.patience import until
from tests.fixtures.server import StoaServer

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "hello"}]


def error_of(answer: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]
    return error


def test_refuses_a_request_without_a_key(server: StoaServer) -> None:
    answer = httpx.post(server.url + CHAT, json={"model": "echo", "messages": HELLO})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert error_of(answer)["type"] == "authentication_error"


def test_refuses_a_wrong_key_without_repeating_it(server: StoaServer) -> None:
    client = OpenAI(base_url=server.base_url, api_key="sk-stoa-wrong", max_retries=0)

    with pytest.raises(sdk.AuthenticationError) as caught:
        client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "hello"}]
        )

    assert caught.value.code == "invalid_api_key"
    assert "sk-stoa-wrong" not in str(caught.value)


def test_an_unknown_model_is_not_found(openai: OpenAI) -> None:
    with pytest.raises(sdk.NotFoundError) as caught:
        openai.chat.completions.create(
            model="nothing", messages=[{"role": "user", "content": "hello"}]
        )

    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": HELLO}, "model"),
        ({"model": "echo"}, "messages"),
        ({"model": "echo", "messages": []}, "messages"),
        ({"model": "echo", "messages": "hello"}, "messages"),
        ({"model": "echo", "messages": [{"content": "x"}]}, "messages[0].role"),
        ({"model": "echo", "messages": [{"role": "canary", "content": "x"}]}, "messages[0].role"),
        ({"model": "echo", "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": "echo", "messages": HELLO, "stream": "yes"}, "stream"),
        ({"model": "echo", "messages": HELLO, "max_tokens": "many"}, "max_tokens"),
        ({"model": "echo", "messages": HELLO, "n": 0}, "n"),
        ({"model": "echo", "messages": HELLO, "stream_options": {}}, "stream_options"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_parameter_is_named(http: httpx.Client, body: object, param: str) -> None:
    answer = http.post(CHAT, json=body)

    assert answer.status_code == 400
    assert error_of(answer)["param"] == param
    assert error_of(answer)["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_malformed_body_is_a_400(http: httpx.Client, body: bytes) -> None:
    answer = http.post(CHAT, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert error_of(answer)["type"] == "invalid_request_error"
    assert call_of(http, answer.headers["x-request-id"])["status"] == "refused"


def test_too_long_for_the_context_is_said_so(openai: OpenAI) -> None:
    with pytest.raises(sdk.BadRequestError) as caught:
        openai.chat.completions.create(
            model="short-context",
            messages=[{"role": "user", "content": "hello"}],
            max_tokens=200,
        )

    assert caught.value.code == "context_length_exceeded"


def test_a_body_that_is_too_large_is_a_413(http: httpx.Client) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "x" * 1_100_000}]}
    answer = http.post(CHAT, json=body)

    assert answer.status_code == 413
    error_of(answer)
    assert call_of(http, answer.headers["x-request-id"])["error_code"] == "PAYLOAD_TOO_LARGE"


def test_a_chunked_body_that_is_too_large_is_a_413(http: httpx.Client) -> None:
    answer = http.post(CHAT, content=(b"x" * 100_000 for _ in range(12)))

    assert answer.status_code == 413
    error_of(answer)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, deflate"])
def test_a_compressed_body_is_a_415_that_says_so(http: httpx.Client, encoding: str) -> None:
    body = gzip.compress(json.dumps({"model": "echo", "messages": HELLO}).encode())

    answer = http.post(CHAT, content=body, headers={"content-encoding": encoding})

    assert answer.status_code == 415
    assert "Content-Encoding" in error_of(answer)["message"]
    row = call_of(http, answer.headers["x-request-id"])
    assert (row["status"], row["error_code"]) == ("refused", "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_content_type_does_not_matter(http: httpx.Client, content_type: str) -> None:
    body = json.dumps({"model": "echo", "messages": HELLO})

    answer = http.post(CHAT, content=body, headers={"content-type": content_type})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("model", "status", "kind", "ledger"),
    [
        ("broken", 502, "api_error", "failed"),
        ("busy", 503, "api_error", "failed"),
        ("throttled", 429, "rate_limit_error", "failed"),
        ("picky", 400, "invalid_request_error", "failed"),
    ],
)
def test_failures_of_the_provider_are_mapped(
    http: httpx.Client, model: str, status: int, kind: str, ledger: str
) -> None:
    for stream in (False, True):
        answer = http.post(CHAT, json={"model": model, "messages": HELLO, "stream": stream})

        assert answer.status_code == status
        assert error_of(answer)["type"] == kind
        assert call_of(http, answer.headers["x-request-id"])["status"] == ledger


def test_a_stream_that_breaks_ends_with_an_error_event(openai: OpenAI, http: httpx.Client) -> None:
    stream = openai.chat.completions.create(
        model="cut", messages=[{"role": "user", "content": "hello"}], stream=True
    )
    request_id = stream.response.headers["x-request-id"]

    with pytest.raises(sdk.APIError):
        list(stream)

    row = call_of(http, request_id)
    assert row["status"] == "failed"
    assert row["completion_tokens"] >= 3
    assert row["usage_counted"]


def test_the_wrong_kind_of_model_is_refused(openai: OpenAI) -> None:
    with pytest.raises(sdk.BadRequestError) as caught:
        openai.embeddings.create(model="echo", input="hello")

    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CHAT, 405),
        ("DELETE", "/v1/embeddings", 405),
        ("POST", "/v1/nothing", 404),
        ("GET", "/v1/models/nothing", 404),
    ],
)
def test_errors_of_the_frame_speak_the_dialect(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = http.request(method, path)

    assert answer.status_code == status
    error_of(answer)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_hung_up_client_frees_the_provider(
    server: StoaServer, http: httpx.Client, stream: bool
) -> None:
    mark = f"hang-up-{uuid4()}"
    headers = {"authorization": f"Bearer {server.key}", "x-correlation-id": mark}
    asked = {"model": "hung", "messages": HELLO, "stream": stream}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        call = asyncio.create_task(client.post(CHAT, json=asked))
        await until(lambda: bool(calls_with(http, mark)))
        call.cancel()
        await asyncio.wait({call})

    [row] = calls_with(http, mark)
    settled = await asyncio.to_thread(call_of, http, row["id"])
    assert settled["status"] == "cancelled"


def test_a_client_that_leaves_a_stream_is_charged_for_what_came(http: httpx.Client) -> None:
    body = json.dumps({"model": "stuck", "messages": HELLO, "stream": True})
    with http.stream("POST", CHAT, content=body) as answer:
        for line in answer.iter_lines():
            if "one" in line:
                break

    row = call_of(http, answer.headers["x-request-id"])
    assert row["status"] == "cancelled"
    assert row["completion_tokens"] == 1
