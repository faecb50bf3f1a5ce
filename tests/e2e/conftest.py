from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

SCRIPTED = Path(__file__).with_name("scripted.yaml")

# Clients that say nothing else wait for five seconds, which a busy machine may well take.
httpx._config.DEFAULT_TIMEOUT_CONFIG.read = httpx._config.DEFAULT_TIMEOUT_CONFIG.connect = (
    PATIENCE_S
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    """A server of scripted models with its own embedded Postgres."""
    running = StoaServer(
        data_dir=tmp_path_factory.mktemp("stoa"),
        config=SCRIPTED,
        settings={"STOA_STREAM_HEARTBEAT_SECONDS": "1", "STOA_MAX_BODY_BYTES": "1000000"},
    )
    with running:
        yield running


@pytest.fixture
def openai(server: StoaServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_openai(server: StoaServer) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        yield client


@pytest.fixture
def http(server: StoaServer) -> Iterator[httpx.Client]:
    """A bare client that carries the key."""
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client
