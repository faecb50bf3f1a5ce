import asyncio
from collections.abc import Mapping

import httpx
import openai
import pytest

from tests.fixtures.limited_keys import HELLO, a_key, bearer, client_of, limits_in
from tests.fixtures.server import StoaServer


async def test_an_answer_says_what_remains(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, rpm=10, tpm=6000)
    async with client_of(limits_server, key) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="echo", messages=HELLO, max_tokens=100
        )

    headers = raw.headers
    body_tokens = -(-len(raw.http_request.content) // 4)
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-limit-tokens"]) == (
        "10",
        "6000",
    )
    assert headers["x-ratelimit-remaining-requests"] == "9"
    assert headers["x-ratelimit-remaining-tokens"] == str(6000 - 100 - body_tokens)
    assert headers["x-ratelimit-reset-requests"] == "6s"
    assert headers["x-ratelimit-reset-tokens"].endswith("s")


async def test_a_stream_says_it_too(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, rpm=10)
    async with client_of(limits_server, key) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="echo", messages=HELLO, stream=True
        )
        async for _ in raw.parse():
            pass

    assert limits_in(raw.headers) == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "6s",
    }


async def _headers_of_another(client: openai.AsyncOpenAI) -> Mapping[str, str] | None:
    """Nothing while the limit is reached."""
    try:
        raw = await client.chat.completions.with_raw_response.create(
            model="echo", messages=HELLO, max_tokens=5000
        )
    except openai.RateLimitError:
        return None
    return raw.headers


async def test_the_true_usage_counts_in_the_end(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, tpm=6000)
    async with client_of(limits_server, key) as client:
        answer = await client.chat.completions.create(model="echo", messages=HELLO, max_tokens=5000)
        # It is counted a moment after the answer; waiting alone would take 40 seconds to help.
        async with asyncio.timeout(30):
            while (headers := await _headers_of_another(client)) is None:
                await asyncio.sleep(0.05)

    assert answer.usage is not None
    assert answer.usage.total_tokens < 100
    assert headers["x-ratelimit-limit-tokens"] == "6000"


async def test_answers_that_take_nothing_show_what_remains(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, rpm=10)
    async with httpx.AsyncClient(base_url=limits_server.url, headers=bearer(key)) as http:
        models = await http.get("/v1/models")
        nobody = await http.post(
            "/v1/chat/completions", json={"model": "nothing", "messages": HELLO}
        )
        broken = await http.post("/v1/chat/completions", content=b"{")

    for answer, status in ((models, 200), (nobody, 404), (broken, 400)):
        assert answer.status_code == status
        assert answer.headers["x-ratelimit-remaining-requests"] == "10"


async def test_a_failure_of_the_provider_shows_it_too(limits_server: StoaServer) -> None:
    key = await a_key(limits_server, rpm=10)
    async with client_of(limits_server, key) as client:
        with pytest.raises(openai.InternalServerError) as failed:
            await client.chat.completions.create(model="broken", messages=HELLO)

    assert failed.value.response.headers["x-ratelimit-remaining-requests"] == "9"


async def test_a_caller_without_limits_hears_nothing_of_them(limits_server: StoaServer) -> None:
    async with client_of(limits_server, limits_server.key) as client:
        raw = await client.chat.completions.with_raw_response.create(model="echo", messages=HELLO)

    assert limits_in(raw.headers) == {}
