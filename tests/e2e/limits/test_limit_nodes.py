"""Places of calls that end badly, and several servers on one database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.fixtures.limited_keys import (
    HELLO,
    a_key,
    admitted,
    bearer,
    client_of,
    occupy,
    refused_for_want_of_a_place,
)
from tests.fixtures.redis_server import RedisServer, a_redis_server
from tests.fixtures.server import StoaServer

SCRIPTED = Path(__file__).parents[1] / "scripted.yaml"
API_LIMIT = 5


@pytest.fixture
async def second(
    limits_database: str, limits_server: StoaServer, tmp_path: Path
) -> AsyncIterator[StoaServer]:
    settings = {
        "STOA_DATABASE_URL": limits_database,
        "STOA_API_REQUESTS_PER_MINUTE": str(API_LIMIT),
    }
    with StoaServer(data_dir=tmp_path, config=SCRIPTED, settings=settings) as running:
        running.key = limits_server.key
        yield running


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_hangs_up_frees_its_place(
    limits_server: StoaServer, stream: bool
) -> None:
    key = await a_key(limits_server, concurrency=1)
    async with client_of(limits_server, key) as client:
        running = asyncio.create_task(
            occupy(client, model="stuck" if stream else "hung", stream=stream)
        )
        await refused_for_want_of_a_place(client)

        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        await admitted(client)


async def test_a_killed_server_gives_its_places_back(
    limits_server: StoaServer, second: StoaServer
) -> None:
    key = await a_key(limits_server, concurrency=2)
    async with client_of(limits_server, key) as here, client_of(second, key) as there:
        running = [asyncio.create_task(occupy(there, model="hung")) for _ in range(2)]
        await refused_for_want_of_a_place(here)

        second.kill()
        await asyncio.gather(*running, return_exceptions=True)

        await admitted(here)


async def test_the_management_api_has_a_limit_of_its_own(
    limits_server: StoaServer, second: StoaServer
) -> None:
    key = await a_key(limits_server, rpm=1000)
    async with httpx.AsyncClient(base_url=second.url, headers=bearer(key)) as http:
        answers = [await http.get("/api/v1/team") for _ in range(API_LIMIT + 1)]
        model_call = await http.post(
            "/v1/chat/completions", json={"model": "echo", "messages": HELLO}
        )
        nobody = await http.get("/api/v1/team", headers=bearer("sk-stoa-wrong"))

    *passed, refused = answers
    assert [answer.status_code for answer in passed] == [200] * API_LIMIT
    assert passed[0].headers["ratelimit-policy"] == f'"requests";q={API_LIMIT};w=60'
    assert passed[0].headers["ratelimit"] == f'"requests";r={API_LIMIT - 1};t=12'
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert 0 < int(refused.headers["retry-after"]) <= 12
    assert refused.headers["ratelimit"].startswith('"requests";r=0;t=')
    assert model_call.status_code == 200
    assert nobody.status_code == 401
    assert "ratelimit" not in nobody.headers


@pytest.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    async with a_redis_server() as limits_server:
        yield limits_server


async def test_limits_are_counted_in_redis_and_refuse_while_it_is_away(
    limits_server: StoaServer, limits_database: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    key = await a_key(limits_server, rpm=1)
    settings = {"STOA_DATABASE_URL": limits_database, "STOA_REDIS_URL": redis_server.url}
    with StoaServer(data_dir=tmp_path, config=SCRIPTED, settings=settings) as counting:
        async with (
            client_of(counting, key) as limited,
            client_of(counting, limits_server.key) as free,
        ):
            await limited.chat.completions.create(model="echo", messages=HELLO)
            with pytest.raises(openai.RateLimitError):
                await limited.chat.completions.create(model="echo", messages=HELLO)

            await redis_server.stop()
            with pytest.raises(openai.InternalServerError) as away:
                await limited.chat.completions.create(model="echo", messages=HELLO)
            unlimited = await free.chat.completions.create(model="echo", messages=HELLO)
        async with httpx.AsyncClient(
            base_url=counting.url, headers=bearer(limits_server.key)
        ) as http:
            management = await http.get("/api/v1/team")

            await redis_server.start()
            back = await http.post(
                "/v1/chat/completions",
                json={"model": "echo", "messages": HELLO},
                headers=bearer(key),
            )

    assert away.value.status_code == 503
    assert "retry-after" in away.value.response.headers
    assert unlimited.choices
    assert management.status_code == 200
    assert back.status_code == 200
