"""A server with two providers that can be told to fail in every way, and routes over them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI

from tests.fakes.openai_wire import DONE, chunk_event, event
from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Step,
    Upstream,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)
from tests.fixtures.server import StoaServer, free_port

CONFIG = """
providers:
  - {{name: alpha, type: openai-compatible, base_url: {alpha}, api_key: a}}
  - {{name: beta, type: openai-compatible, base_url: {beta}, api_key: b}}
  - {{name: dead, type: openai-compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: c}}
  - {{name: here, type: scripted}}
models:
  - {{name: a, provider: alpha, prices: {{input: 1, output: 1}}, context_length: 1000}}
  - {{name: b, provider: beta, prices: {{input: 2, output: 2}}, context_length: 100000}}
  - {{name: gone, provider: dead, prices: {{input: 9, output: 9}}}}
  - {{name: local, provider: here}}
  - {{name: narrow, provider: alpha, limits: {{rpm: 1}}}}
routes:
  - name: both
    targets: [a, b]
    timeouts: {{first_token: 1.5, total: 20}}
  - {{name: refused, targets: [gone, b]}}
  - {{name: tight, targets: [narrow], fallbacks: [b]}}
  - {{name: alone, targets: [narrow]}}
  - {{name: hedged, targets: [a, b], hedge_after_ms: 200}}
  - {{name: private, targets: [a, local]}}
  - name: halves
    targets: [a]
    split: {{by: user, arms: [{{name: old, model: a}}, {{name: new, model: b}}]}}
"""


def completion(words: str) -> list[Step]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": words},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    body = {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}
    return [json_answer(event(body).removeprefix(b"data: ").strip())]


def spoken(words: str) -> list[Step]:
    blocks = [
        chunk_event({"role": "assistant", "content": words}),
        chunk_event({}, finish_reason="stop"),
        DONE,
    ]
    return [stream_head(), *(chunk(block) for block in blocks), LAST_CHUNK]


@dataclass
class Houses:
    """The two providers; each answers with its name unless it is told otherwise."""

    alpha: Upstream
    beta: Upstream

    def __post_init__(self) -> None:
        for name, upstream in (("alpha", self.alpha), ("beta", self.beta)):
            upstream.default, upstream.streamed = completion(name), spoken(name)

    def forget(self) -> None:
        for upstream in (self.alpha, self.beta):
            upstream.choose = None
            upstream.scripts.clear()
            upstream.requests.clear()
        self.__post_init__()


@pytest.fixture(scope="module")
async def houses() -> AsyncIterator[Houses]:
    async with running_upstream() as alpha, running_upstream() as beta:
        yield Houses(alpha, beta)


@pytest.fixture(scope="module")
async def routed(
    houses: Houses, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StoaServer]:
    folder: Path = tmp_path_factory.mktemp("routing")
    config = folder / "stoa.yaml"
    config.write_text(
        CONFIG.format(alpha=houses.alpha.base_url, beta=houses.beta.base_url, port=free_port())
    )
    # Failures that are meant shall not have the deployments left alone in the next test.
    settings = {"STOA_BREAKER_FAILURES": "0", "STOA_BREAKER_ERROR_PERCENT": "0"}
    with StoaServer(data_dir=folder / "data", config=config, settings=settings) as running:
        yield running


@pytest.fixture
async def client(routed: StoaServer, houses: Houses) -> AsyncIterator[AsyncOpenAI]:
    houses.forget()
    async with AsyncOpenAI(
        base_url=routed.base_url, api_key=routed.key, max_retries=0, timeout=30
    ) as client:
        yield client


@pytest.fixture
async def api(routed: StoaServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {routed.key}"}
    async with httpx.AsyncClient(base_url=routed.url, headers=headers, timeout=30) as client:
        yield client


HANG: list[Step] = [Act.HANG]
