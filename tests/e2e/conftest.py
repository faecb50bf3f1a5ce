from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.fixtures.server import StoaServer

SCRIPTED = Path(__file__).with_name("scripted.yaml")
# Their tests share no server.
APART = ("test_failed_start.py", "test_recovery.py", "test_stopping.py", "test_first_start.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one module share a server, and so run in one process, unless they say otherwise."""
    here = Path(__file__).parent
    for item in items:
        module = item.path
        if not module.is_relative_to(here) or module.is_relative_to(here / "api"):
            continue
        if module.name in APART or item.get_closest_marker("xdist_group"):
            continue
        group = module.stem if module.parent == here else module.parent.name
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    """A server of scripted models with its own embedded Postgres."""
    running = StoaServer(
        data_dir=tmp_path_factory.mktemp("stoa"),
        config=SCRIPTED,
        settings={"STOA_STREAM_HEARTBEAT_SECONDS": "0.5", "STOA_MAX_BODY_BYTES": "1000000"},
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
