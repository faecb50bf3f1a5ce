from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.builders import OTHER_TEAM_ID, TEAM_ID


@pytest.fixture
async def team_url(database_url: str, worker_database: tuple[str, asyncpg.Connection]) -> str:
    """A database with the two teams of the builders."""
    _, connection = worker_database
    teams = (f"('{team_id}', 'Acme', now())" for team_id in (TEAM_ID, OTHER_TEAM_ID))
    await connection.execute(f"INSERT INTO teams VALUES {', '.join(teams)}")  # noqa: S608
    return database_url


@pytest.fixture
async def sql(team_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(team_url)
    yield connection
    await connection.close()
