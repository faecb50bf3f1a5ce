"""Calls at the border of two partitions, and the partitions of the months to come."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine
from adapters.postgres.inference.call_reader import PostgresCallReader
from adapters.postgres.inference.ledger import PostgresLedger
from adapters.postgres.partitions import (
    MONTHS_AHEAD,
    ensure_partitions,
    months_from,
    partition_name,
)
from adapters.system.clock import SystemClock
from application.inference.call_ports import CallFilter, UsageGrouping
from domain.inference.call import CallContent, CallStatus
from domain.shared.ids import CallId
from entrypoints.database import keep_partitions
from tests.builders import TEAM_ID, a_call
from tests.fakes.ids import uuid7_at
from tests.fixtures.ledger_load import make_call

TURN = datetime(2001, 2, 1, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


@pytest.fixture
async def engine(team_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(team_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def ledger(team_url: str, sql: asyncpg.Connection) -> AsyncIterator[PostgresLedger]:
    await ensure_partitions(sql, months_from(TURN - MOMENT, 1))
    ledger = PostgresLedger(team_url, process=1)
    await ledger.start()
    yield ledger
    await ledger.stop()


async def test_calls_around_the_turn_of_a_month_land_settle_and_are_found(
    ledger: PostgresLedger, engine: AsyncEngine, sql: asyncpg.Connection
) -> None:
    content = CallContent(request="{}", response="{}")
    before = a_call(created_at=TURN - MOMENT)
    # Its id was made when the request came, its row when the body had been read.
    across = a_call(created_at=TURN, id=CallId(uuid7_at(TURN - MOMENT, 2)), content=content)
    after = a_call(created_at=TURN + MOMENT, content=content)
    reader = PostgresCallReader(engine)

    for call in (before, across, after):
        await make_call(ledger, call)
    await ledger.flush(5)

    places = await sql.fetch("SELECT tableoid::regclass::text AS place FROM calls ORDER BY id")
    new_month = await reader.list(TEAM_ID, CallFilter(since=TURN), cursor=None, limit=10)
    days = await reader.usage(TEAM_ID, UsageGrouping.DAY, CallFilter())
    assert [row["place"] for row in places] == ["calls_2001_01", "calls_2001_01", "calls_2001_02"]
    assert [call.id for call in new_month.items] == [after.id, across.id]
    assert {call.status for call in new_month.items} == {CallStatus.SUCCEEDED}
    assert [(day.group, day.calls) for day in days] == [("2001-02-01", 2), ("2001-01-31", 1)]
    assert (await reader.get(TEAM_ID, across.id)).content == content


async def test_a_running_server_keeps_the_partitions_of_the_coming_months_ready(
    team_url: str, sql: asyncpg.Connection
) -> None:
    months = months_from(SystemClock().now())
    names = [partition_name(table, m) for m in months for table in ("calls", "call_contents")]
    for name in names[-2:]:
        await sql.execute(f"DROP TABLE IF EXISTS {name}")

    await keep_partitions(team_url)

    found = await sql.fetch("SELECT inhrelid::regclass::text AS name FROM pg_inherits")
    assert len(names) == 2 * (MONTHS_AHEAD + 1)
    assert set(names) <= {row["name"] for row in found}
