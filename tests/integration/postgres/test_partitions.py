import asyncio
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import asyncpg
import pytest

from adapters.postgres.partitions import (
    PARTITIONED,
    ensure_partitions,
    lowest_id,
    month_of,
    months_from,
    next_month,
    partition_name,
)
from tests.fakes.ids import uuid7_at
from tests.fixtures.patience import PATIENCE_S

OLD = datetime(1999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


@pytest.fixture
async def without_old_partitions(sql: asyncpg.Connection) -> asyncpg.Connection:
    """A database in which nobody has asked for the years around the turn of the millennium."""
    for month in months_from(OLD, 1):
        for table in PARTITIONED:
            await sql.execute(f"DROP TABLE IF EXISTS {partition_name(table, month)}")
    return sql


async def test_creates_what_is_missing_once(without_old_partitions: asyncpg.Connection) -> None:
    sql = without_old_partitions

    created = [await ensure_partitions(sql, months_from(OLD, 1)) for _ in range(2)]

    assert created == [
        [f"{table}_{month}" for month in ("1999_12", "2000_01") for table in PARTITIONED],
        [],
    ]


@pytest.mark.usefixtures("without_old_partitions")
async def test_nodes_may_create_them_at_once(team_url: str) -> None:
    connections = [await asyncpg.connect(team_url) for _ in range(5)]

    created = await asyncio.gather(*(ensure_partitions(c, [OLD]) for c in connections))
    for connection in connections:
        await connection.close()

    assert sorted(name for names in created for name in names) == sorted(
        f"{table}_1999_12" for table in PARTITIONED
    )


async def test_a_row_goes_to_the_month_of_its_id(
    without_old_partitions: asyncpg.Connection,
) -> None:
    sql = without_old_partitions
    await ensure_partitions(sql, months_from(OLD, 1))
    ids = [uuid7_at(OLD), uuid7_at(OLD + timedelta(milliseconds=1))]

    for row_id in ids:
        await sql.execute(
            "INSERT INTO call_contents SELECT id, $1, '', '' FROM teams LIMIT 1", row_id
        )

    places = await sql.fetch("SELECT tableoid::regclass::text AS place FROM call_contents")
    assert [row["place"] for row in places] == ["call_contents_1999_12", "call_contents_2000_01"]


async def test_readers_of_the_ledger_do_not_wait_for_a_new_partition(
    without_old_partitions: asyncpg.Connection, team_url: str
) -> None:
    reader = await asyncpg.connect(team_url)

    async with reader.transaction(), asyncio.timeout(PATIENCE_S):
        await reader.execute("LOCK TABLE calls, call_contents IN ROW EXCLUSIVE MODE")
        created = await ensure_partitions(without_old_partitions, [OLD])
    await reader.close()

    assert len(created) == len(PARTITIONED)


def test_the_lowest_id_of_a_moment_divides_what_was_made_before_from_the_rest() -> None:
    border = lowest_id(OLD)

    assert uuid7_at(OLD - timedelta(milliseconds=1), 2**60) < border < uuid7_at(OLD)


def test_moments_beyond_what_an_id_can_hold_have_a_lowest_id_too() -> None:
    assert lowest_id(datetime(1, 1, 1, tzinfo=UTC)) == UUID(int=0)
    assert lowest_id(datetime(9999, 12, 31, tzinfo=UTC)) < UUID(int=2**128 - 1)


def test_months_are_those_of_utc() -> None:
    in_samoa = datetime(2027, 1, 1, 5, tzinfo=timezone(timedelta(hours=13)))

    assert month_of(in_samoa) == datetime(2026, 12, 1, tzinfo=UTC)
    assert next_month(month_of(in_samoa)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert [f"{month:%m}" for month in months_from(in_samoa)] == ["12", "01", "02", "03"]
