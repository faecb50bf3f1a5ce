import asyncio
import time

import httpx
import openai
import pytest

from tests.fixtures.ledger import call_of
from tests.fixtures.limited_keys import HELLO, a_key, bearer, client_of
from tests.fixtures.server import StoaServer


async def test_the_client_of_openai_knows_what_a_reached_limit_is(
    limits_server: StoaServer,
) -> None:
    key = await a_key(limits_server, rpm=1)
    async with client_of(limits_server, key) as client:
        await client.chat.completions.create(model="echo", messages=HELLO)
        with pytest.raises(openai.RateLimitError) as refused:
            await client.chat.completions.create(model="echo", messages=HELLO)

    error = refused.value
    headers = error.response.headers
    assert (error.status_code, error.type, error.code) == (429, "requests", "rate_limit_exceeded")
    assert "Rate limit reached for this key on requests per min (RPM): Limit 1" in error.message
    assert 30_000 < int(headers["retry-after-ms"]) <= 60_000
    assert 30 < int(headers["retry-after"]) <= 60
    assert headers["x-ratelimit-remaining-requests"] == "0"
    with httpx.Client(base_url=limits_server.url, headers=bearer(limits_server.key)) as http:
        row = call_of(http, headers["x-request-id"])
    assert (row["status"], row["error_code"]) == ("refused", "RATE_LIMITED")


async def test_a_stream_is_refused_before_it_begins(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, rpm=1)
    async with client_of(limits_server, key) as client:
        await client.chat.completions.create(model="echo", messages=HELLO)
        with pytest.raises(openai.RateLimitError) as refused:
            await client.chat.completions.create(model="echo", messages=HELLO, stream=True)

    assert refused.value.response.headers["x-ratelimit-limit-requests"] == "1"


async def test_a_client_that_waits_as_it_is_told_gets_through(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, rpm=60)
    async with client_of(limits_server, key) as client:
        await asyncio.gather(
            *(client.chat.completions.create(model="echo", messages=HELLO) for _ in range(60))
        )
    started = time.monotonic()

    async with client_of(limits_server, key, retries=2) as client:
        answer = await client.chat.completions.create(model="echo", messages=HELLO)

    assert answer.choices
    # By itself the client would wait no longer; a wrong header would have it wait for a minute.
    assert time.monotonic() - started < 40


async def test_what_no_minute_has_room_for_is_not_tried_again(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, tpm=1000)
    async with client_of(limits_server, key, retries=2) as client:
        with pytest.raises(openai.RateLimitError) as refused:
            await client.chat.completions.create(model="echo", messages=HELLO, max_tokens=2000)

    headers = refused.value.response.headers
    assert (refused.value.type, refused.value.code) == ("tokens", "rate_limit_exceeded")
    assert headers["x-should-retry"] == "false"
    assert "retry-after" not in headers
    assert headers["x-ratelimit-remaining-tokens"] == "1000"
