from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.upstream import running_upstream
from tests.fixtures.fault_ground import CONFIG, SETTINGS, Providers
from tests.fixtures.server import StoaServer


@pytest.fixture(scope="module")
async def providers() -> AsyncIterator[Providers]:
    async with running_upstream() as near, running_upstream() as far:
        yield Providers(near, far)


@pytest.fixture(scope="module")
def config(providers: Providers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("faults") / "stoa.yaml"
    written.write_text(CONFIG.format(near=providers.near.base_url, far=providers.far.base_url))
    return written


@pytest.fixture(scope="module")
def server(config: Path) -> Iterator[StoaServer]:
    """With a database of its own, which nobody minds being stopped."""
    with StoaServer(data_dir=config.parent / "data", config=config, settings=SETTINGS) as running:
        yield running
