"""One provider fails, in every way there is; the official client never notices."""

import asyncio
from typing import Any

import httpx
import openai as sdk
import pytest
from openai import AsyncOpenAI

from tests.e2e.routing.conftest import Houses
from tests.fakes.openai_wire import chunk_event
from tests.fakes.upstream import Act, Step, answer, chunk, json_answer, stream_head
from tests.fixtures.patience import PATIENCE_S

HELLO: Any = [{"role": "user", "content": "hello"}]
ERROR = b'{"error":{"message":"No.","type":"server_error","code":null,"param":null}}'
TOO_LONG = (
    b'{"error":{"message":"too long","type":"invalid_request_error",'
    b'"code":"context_length_exceeded","param":"messages"}}'
)
HTML = b"<html>It works!</html>"

FAILURES: dict[str, tuple[list[Step], str]] = {
    "resets": ([Act.RESET], "PROVIDER_UNREACHABLE"),
    "closes": ([Act.CLOSE], "PROVIDER_UNREACHABLE"),
    "slow down": ([json_answer(ERROR, status=429)], "PROVIDER_RATE_LIMITED"),
    "internal": ([json_answer(ERROR, status=500)], "PROVIDER_ERROR"),
    "overloaded": ([json_answer(ERROR, status=503)], "PROVIDER_OVERLOADED"),
    "credentials": ([json_answer(ERROR, status=401)], "PROVIDER_CREDENTIALS"),
    "an error as success": ([json_answer(ERROR)], "PROVIDER_ERROR"),
    "wrong content type": ([answer(HTML, content_type="text/html")], "PROVIDER_ERROR"),
}
STREAM_FAILURES: dict[str, tuple[list[Step], str]] = {
    **FAILURES,
    "half a frame": ([stream_head(), chunk(b'data: {"ch'), Act.CLOSE], "PROVIDER_ERROR"),
    "an error as the first event": (
        [stream_head(), chunk(b"data: " + ERROR + b"\n\n"), Act.CLOSE],
        "PROVIDER_ERROR",
    ),
    "hangs": ([Act.HANG], "PROVIDER_TIMEOUT"),
    "hangs behind its head": ([stream_head(), Act.HANG], "PROVIDER_TIMEOUT"),
}


async def row_of(api: httpx.AsyncClient, call_id: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await api.get(f"/api/v1/calls/{call_id}")
            if found.status_code == httpx.codes.OK and found.json()["status"] != "open":
                row: dict[str, Any] = found.json()
                return row
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("failure", FAILURES)
async def test_another_provider_answers(
    failure: str, client: AsyncOpenAI, houses: Houses, api: httpx.AsyncClient
) -> None:
    script, code = FAILURES[failure]
    houses.alpha.default = script

    raw = await client.chat.completions.with_raw_response.create(model="both", messages=HELLO)

    assert raw.parse().choices[0].message.content == "beta"
    told = {name: value for name, value in raw.headers.items() if name.startswith("x-stoa-")}
    assert told["x-stoa-model"] == "b"
    assert told["x-stoa-deployment"] == "beta/b"
    assert told["x-stoa-attempts"] == "2"
    assert told["x-stoa-reason"] == f"retry after {code}"
    assert told["x-stoa-cost"] == "0.00001"
    assert 0 < float(told["x-stoa-overhead-ms"]) < 60_000
    row = await row_of(api, told["x-stoa-call-id"])
    assert (row["model"], row["routed_to"], row["deployment"]) == ("both", "b", "beta/b")
    assert (row["status"], row["cost"], row["price"]["input"]) == ("succeeded", "0.00001", "2")
    assert [(one["deployment"], one["outcome"]) for one in row["attempts"]] == [
        ("alpha/a", code),
        ("beta/b", "succeeded"),
    ]


@pytest.mark.parametrize("failure", STREAM_FAILURES)
async def test_another_provider_streams(
    failure: str, client: AsyncOpenAI, houses: Houses, api: httpx.AsyncClient
) -> None:
    script, code = STREAM_FAILURES[failure]
    houses.alpha.streamed = script

    stream = await client.chat.completions.create(model="both", messages=HELLO, stream=True)
    words = "".join([part.choices[0].delta.content or "" async for part in stream])

    headers = stream.response.headers
    assert words == "beta"
    assert (headers["x-stoa-deployment"], headers["x-stoa-attempts"]) == ("beta/b", "2")
    row = await row_of(api, headers["x-stoa-call-id"])
    assert [one["outcome"] for one in row["attempts"]] == [code, "succeeded"]
    assert row["status"] == "succeeded"


async def test_a_provider_that_is_not_there_is_routed_around(client: AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="refused", messages=HELLO)

    assert raw.headers["x-stoa-reason"] == "retry after PROVIDER_UNREACHABLE"
    assert raw.headers["x-stoa-model"] == "b"


async def test_after_its_first_word_a_stream_belongs_to_one_provider(
    client: AsyncOpenAI, houses: Houses
) -> None:
    said = chunk(chunk_event({"role": "assistant", "content": "al"}))
    houses.alpha.streamed = [stream_head(), said, Act.RESET]

    stream = await client.chat.completions.create(model="both", messages=HELLO, stream=True)
    with pytest.raises(sdk.APIError):
        async for _ in stream:
            pass

    assert houses.beta.requests == []


async def test_the_mistake_of_the_client_is_told_and_not_repeated(
    client: AsyncOpenAI, houses: Houses
) -> None:
    houses.alpha.default = [json_answer(ERROR, status=400)]

    with pytest.raises(sdk.BadRequestError) as error:
        await client.chat.completions.create(model="both", messages=HELLO)

    assert houses.beta.requests == []
    assert error.value.response.headers["x-stoa-attempts"] == "1"


async def test_what_is_too_long_for_one_goes_to_a_larger_one(
    client: AsyncOpenAI, houses: Houses
) -> None:
    houses.alpha.default = [json_answer(TOO_LONG, status=400)]

    raw = await client.chat.completions.with_raw_response.create(model="both", messages=HELLO)

    assert raw.headers["x-stoa-model"] == "b"
    assert raw.headers["x-stoa-reason"] == "retry after CONTEXT_LENGTH_EXCEEDED"


async def test_what_is_known_to_be_too_long_is_not_even_tried(
    client: AsyncOpenAI, houses: Houses
) -> None:
    long: Any = [{"role": "user", "content": "hello " * 5000}]

    raw = await client.chat.completions.with_raw_response.create(model="both", messages=long)

    assert raw.headers["x-stoa-model"] == "b"
    assert houses.alpha.requests == []


async def test_when_all_fail_the_client_hears_of_the_last(
    client: AsyncOpenAI, houses: Houses, api: httpx.AsyncClient
) -> None:
    houses.alpha.default = [json_answer(ERROR, status=500)]
    houses.beta.default = [json_answer(ERROR, status=401)]

    with pytest.raises(sdk.APIStatusError) as error:
        await client.chat.completions.create(model="both", messages=HELLO)

    headers = error.value.response.headers
    assert error.value.status_code in {500, 502}
    assert headers["x-stoa-attempts"] == "3"
    row = await row_of(api, headers["x-stoa-call-id"])
    assert [one["outcome"] for one in row["attempts"]] == [
        "PROVIDER_ERROR",
        "PROVIDER_CREDENTIALS",
        "PROVIDER_ERROR",
    ]


BEGINNINGS: dict[str, list[Step]] = {
    "an error first": [stream_head(), chunk(b"data: " + ERROR + b"\n\n"), Act.CLOSE],
    "half a frame": [stream_head(), chunk(b'data: {"ch'), Act.CLOSE],
    "a comment only": [stream_head(), chunk(b": hello\n\n"), Act.CLOSE],
}
ASKED: dict[str, dict[str, Any]] = {
    "/v1/messages": {"messages": HELLO, "max_tokens": 10},
    "/v1/responses": {"input": "hello", "store": False},
}


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("beginning", BEGINNINGS)
async def test_no_dialect_begins_before_its_model_does(
    path: str, beginning: str, houses: Houses, api: httpx.AsyncClient
) -> None:
    houses.forget()
    houses.alpha.streamed = BEGINNINGS[beginning]

    answered = await api.post(path, json=ASKED[path] | {"model": "both", "stream": True})

    assert answered.status_code == 200
    assert answered.headers["x-stoa-deployment"] == "beta/b"
    assert "beta" in answered.text


async def test_headers_and_row_of_a_failed_call_tell_of_whom_was_asked_last(
    client: AsyncOpenAI, houses: Houses, api: httpx.AsyncClient
) -> None:
    for house in (houses.alpha, houses.beta):
        house.default = [json_answer(ERROR, status=401)]

    with pytest.raises(sdk.APIStatusError) as error:
        await client.chat.completions.create(model="both", messages=HELLO)

    told = error.value.response.headers
    row = await row_of(api, told["x-stoa-call-id"])
    assert (told["x-stoa-model"], told["x-stoa-deployment"]) == ("b", "beta/b")
    assert (row["routed_to"], row["deployment"]) == ("b", "beta/b")
    assert told["x-stoa-reason"] == row["reason"] == "retry after PROVIDER_CREDENTIALS"
