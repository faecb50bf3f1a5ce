import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.activity import PostgresKeyActivity
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from domain.shared.errors import UnavailableError
from tests.builders import TEAM_ID, a_key
from tests.fakes.clock import START
from tests.fixtures.patience import PATIENCE_S

NOWHERE = "postgresql://stoa@/stoa?host=/nonexistent"


@pytest.fixture
async def one_connection(team_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(team_url, pool_size=1, max_overflow=0)
    yield engine
    await engine.dispose()


async def test_a_cancelled_use_gives_its_connection_back(one_connection: AsyncEngine) -> None:
    uow = PostgresUnitOfWork(make_sessions(one_connection))
    inside = asyncio.Event()

    async def hang() -> None:
        async with uow as tx:
            await tx.teams.get(TEAM_ID)
            inside.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await inside.wait()
    hanging.cancel()
    await asyncio.wait([hanging])

    async with asyncio.timeout(PATIENCE_S), uow as tx:
        assert (await tx.teams.get(TEAM_ID)).id == TEAM_ID


async def test_a_connection_that_died_in_the_pool_costs_nothing(
    one_connection: AsyncEngine, sql: asyncpg.Connection
) -> None:
    uow = PostgresUnitOfWork(make_sessions(one_connection))
    async with uow as tx:
        await tx.teams.get(TEAM_ID)

    killed = await sql.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'stoa'"
    )

    assert len(killed) == 1
    async with uow as tx:
        assert (await tx.teams.get(TEAM_ID)).id == TEAM_ID


async def test_says_when_the_database_is_away() -> None:
    engine = make_engine(NOWHERE)

    with pytest.raises(UnavailableError) as error:
        async with PostgresUnitOfWork(make_sessions(engine)) as tx:
            await tx.teams.get(TEAM_ID)
    await engine.dispose()

    assert "nonexistent" not in error.value.message


async def test_the_use_of_a_key_that_could_not_be_written_is_kept() -> None:
    engine = make_engine(NOWHERE)
    activity = PostgresKeyActivity(engine)
    activity.touch(a_key(), START)

    for _ in range(2):
        with pytest.raises(UnavailableError):
            await activity.flush()
    await engine.dispose()


async def test_the_end_does_not_fail_for_want_of_the_database() -> None:
    engine = make_engine(NOWHERE)
    activity = PostgresKeyActivity(engine)
    activity.touch(a_key(), START)

    with capture_logs() as logs:
        await activity.stop()
    await engine.dispose()

    assert [(log["event"], log["keys"]) for log in logs] == [("key_activity.lost", 1)]


async def test_an_error_of_the_database_does_not_repeat_what_was_sent(
    one_connection: AsyncEngine,
) -> None:
    async with one_connection.connect() as connection:
        with pytest.raises(DBAPIError) as failed:
            await connection.execute(text("SELECT 1 / (length(:said) - 6)"), {"said": "canary"})

    assert "division by zero" in str(failed.value)
    assert "canary" not in str(failed.value)
