from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.server import StoaServer

SCRIPTED = Path(__file__).parents[1] / "scripted.yaml"


@pytest.fixture(scope="session")
async def limits_database(
    postgres_under_test: PostgresUnderTest, migrated_template: str
) -> AsyncIterator[str]:
    name = f"{postgres_under_test.prefix}_limits_{uuid4().hex[:8]}"
    yield await postgres_under_test.create(name, template=migrated_template)
    await postgres_under_test.drop(name)


@pytest.fixture(scope="session")
async def limits_server(
    limits_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StoaServer]:
    """A server that counts in a database that others may share."""
    settings = {"STOA_DATABASE_URL": limits_database}
    folder = tmp_path_factory.mktemp("limits")
    with StoaServer(data_dir=folder, config=SCRIPTED, settings=settings) as running:
        yield running
