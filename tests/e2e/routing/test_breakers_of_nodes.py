"""A deployment that fails on one node is left alone on all of them, and comes back on all with a
sign of life, before its time alone is over."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.e2e.routing.conftest import Houses, completion
from tests.e2e.routing.test_failing_providers import ERROR, HELLO
from tests.fakes.upstream import Script, SeenRequest, Upstream, json_answer
from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

CONFIG = """
providers:
  - {{name: alpha, type: openai-compatible, base_url: {alpha}, api_key: a}}
  - {{name: beta, type: openai-compatible, base_url: {beta}, api_key: b}}
models:
  - {{name: a, provider: alpha}}
  - {{name: b, provider: beta}}
routes:
  - {{name: both, targets: [a, b]}}
"""
SETTINGS = {
    "STOA_BREAKER_FAILURES": "2",
    "STOA_BREAKER_COOLDOWN_SECONDS": "3600",
    "STOA_HEALTH_CHECK_SECONDS": "1",
}
LIST = json_answer(b'{"object":"list","data":[]}')
OPEN = 'stoa_deployment_breaker{deployment="alpha/a"} 2.0'
CLOSED = 'stoa_deployment_breaker{deployment="alpha/a"} 0.0'


@pytest.fixture
async def nodes(
    postgres_under_test: PostgresUnderTest, houses: Houses, tmp_path: Path
) -> AsyncIterator[tuple[StoaServer, StoaServer]]:
    url = await postgres_under_test.create(
        f"{postgres_under_test.prefix}_breakers_{uuid4().hex[:8]}"
    )
    config = tmp_path / "stoa.yaml"
    config.write_text(CONFIG.format(alpha=houses.alpha.base_url, beta=houses.beta.base_url))
    one, two = (
        StoaServer(
            data_dir=tmp_path / name, config=config, settings={"STOA_DATABASE_URL": url, **SETTINGS}
        )
        for name in ("one", "two")
    )
    with one, two:
        two.key = one.key
        yield one, two


async def who_answers(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/chat/completions", json={"model": "both", "messages": HELLO})
    deployment: str = answer.headers["x-stoa-deployment"]
    return deployment


def chats_of(upstream: Upstream) -> int:
    return sum(seen.target.endswith("/chat/completions") for seen in upstream.requests)


def _well_again(seen: SeenRequest) -> Script:
    return [LIST] if seen.target.endswith("/models") else completion("alpha")


async def shows(client: httpx.AsyncClient, line: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while line not in (await client.get("/metrics")).text.splitlines():
            await asyncio.sleep(0.05)


async def test_all_nodes_leave_it_alone_and_all_come_back(
    nodes: tuple[StoaServer, StoaServer], houses: Houses
) -> None:
    one, two = (
        httpx.AsyncClient(base_url=n.url, headers={"authorization": f"Bearer {n.key}"}, timeout=30)
        for n in nodes
    )
    async with one, two:
        assert await who_answers(two) == "alpha/a"
        houses.alpha.streamed, houses.alpha.default = None, [json_answer(ERROR, status=500)]
        assert [await who_answers(one) for _ in range(3)] == ["beta/b"] * 3
        # The third call asked the second provider alone.
        assert chats_of(houses.alpha) == 3

        await shows(one, OPEN)
        await shows(two, OPEN)
        assert await who_answers(two) == "beta/b"
        assert chats_of(houses.alpha) == 3

        houses.forget()
        houses.alpha.choose = _well_again
        async with asyncio.timeout(PATIENCE_S):
            while await who_answers(one) == "beta/b":
                await asyncio.sleep(0.1)
        await shows(one, CLOSED)
        await shows(two, CLOSED)
        assert await who_answers(two) == "alpha/a"
