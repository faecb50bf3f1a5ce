"""A deployment that answers again is tried before its time alone is over."""

import asyncio
from pathlib import Path

import httpx

from tests.e2e.routing.conftest import Houses, completion
from tests.e2e.routing.test_breakers_of_nodes import CONFIG, who_answers
from tests.e2e.routing.test_failing_providers import ERROR
from tests.fakes.upstream import json_answer
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

SETTINGS = {
    "STOA_BREAKER_FAILURES": "1",
    "STOA_BREAKER_COOLDOWN_SECONDS": "3600",
    "STOA_HEALTH_CHECK_SECONDS": "1",
}
NO_LIST = json_answer(ERROR, status=503)
LIST = json_answer(b'{"object":"list","data":[]}')


async def test_a_sign_of_life_ends_the_time_alone(houses: Houses, tmp_path: Path) -> None:
    houses.forget()
    config = tmp_path / "stoa.yaml"
    config.write_text(CONFIG.format(alpha=houses.alpha.base_url, beta=houses.beta.base_url))
    node = StoaServer(data_dir=tmp_path / "data", config=config, settings=SETTINGS)
    with node:
        headers = {"authorization": f"Bearer {node.key}"}
        async with httpx.AsyncClient(base_url=node.url, headers=headers, timeout=30) as client:
            # Questions for a list have no body that could ask for a stream.
            houses.alpha.streamed = None
            houses.alpha.default = [NO_LIST]
            assert [await who_answers(client) for _ in range(2)] == ["beta/b"] * 2
            houses.alpha.default = [LIST]
            async with asyncio.timeout(PATIENCE_S):
                while not any(seen.target.endswith("/models") for seen in houses.alpha.requests):
                    await asyncio.sleep(0.05)
            houses.alpha.default = completion("alpha")

            async with asyncio.timeout(PATIENCE_S):
                while await who_answers(client) == "beta/b":
                    await asyncio.sleep(0.1)
