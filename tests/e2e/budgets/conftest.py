from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.server import StoaServer

# A token costs a cent. Within a context of 1000 tokens a call can cost 10 dollars.
CONFIG = """
providers:
  - {name: script, type: scripted}
models:
  - {name: priced, provider: script, prices: {input: 10000, output: 10000}}
  - name: hung
    provider: script
    prices: {input: 10000, output: 10000}
    options: {hang: true}
  - name: broken
    provider: script
    prices: {input: 10000, output: 10000}
    options: {fail_status: 500}
  - name: drip
    provider: script
    prices: {input: 10000, output: 10000}
    options: {reply: "one two three four five six", chunk_delay_ms: 200}
  - {name: free, provider: script, prices: {input: 0, output: 0}}
  - {name: unpriced, provider: script}
"""
HOLD_S = 3.0


@pytest.fixture(scope="session")
async def budgets_database(
    postgres_under_test: PostgresUnderTest, migrated_template: str
) -> AsyncIterator[str]:
    name = f"{postgres_under_test.prefix}_budgets_{uuid4().hex[:8]}"
    yield await postgres_under_test.create(name, template=migrated_template)
    await postgres_under_test.drop(name)


@pytest.fixture(scope="session")
async def budget_nodes(
    budgets_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[StoaServer, StoaServer]]:
    """Two servers on one database; the second one may be killed, and is started again."""
    folder: Path = tmp_path_factory.mktemp("budgets")
    config = folder / "models.yaml"
    config.write_text(CONFIG)
    settings = {
        "STOA_DATABASE_URL": budgets_database,
        "STOA_BUDGET_HOLD_SECONDS": str(HOLD_S),
    }
    one, two = (
        StoaServer(data_dir=folder / name, config=config, settings=settings)
        for name in ("one", "two")
    )
    with one, two:
        two.key = one.key
        yield one, two
