"""Removing what is old from a database that is in use."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.operations.old_records import PostgresOldRecords
from adapters.postgres.partitions import ensure_partitions, lowest_id, partition_name
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from domain.operations.retention import RecordKind, Removed
from domain.shared.errors import UnavailableError
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at

OLD = datetime(2001, 3, 1, tzinfo=UTC)
NEXT = datetime(2001, 4, 1, tzinfo=UTC)
TABLES = {
    RecordKind.CALLS: "calls",
    RecordKind.CONTENTS: "call_contents",
    RecordKind.AUDIT: "audit_logs",
    RecordKind.EVENTS: "events",
    RecordKind.ERRORS: "error_logs",
}
ROWS = {
    "calls": "team_id, id, correlation_id, endpoint, model, stream, created_at, status, process"
    " SELECT $1, $2, 'c', 'e', 'm', false, now(), 'open', 1",
    "call_contents": "team_id, id, request, response SELECT $1, $2, 'q', 'a'",
    "audit_logs": "team_id, id, at, actor_kind, action, target_type, target_id, correlation_id"
    " SELECT $1, $2, now(), 'system', 'a.b', 't', 'i', 'c'",
    "events": "team_id, id, at, type, data SELECT $1, $2, now(), 'a.b', '{}'",
    "error_logs": "team_id, id, group_id, at, correlation_id, message, stack"
    " SELECT $1, $2, id, now(), 'c', 'm', 's' FROM error_groups LIMIT 1",
}
A_GROUP = (
    "INSERT INTO error_groups (id, fingerprint, code, exception_type, message, state, first_seen,"
    " last_seen, count) VALUES (uuidv7(), $1, 'C', 'E', 'm', $2, $3, $3, 1)"
)


@pytest.fixture
async def old_months(sql: asyncpg.Connection) -> AsyncIterator[None]:
    """Two months of long ago, which no other test has."""
    await ensure_partitions(sql, (OLD, NEXT))
    yield
    for table in TABLES.values():
        for month in (OLD, NEXT):
            await sql.execute(f"DROP TABLE IF EXISTS {partition_name(table, month)}")


@pytest.fixture
def records(team_url: str) -> PostgresOldRecords:
    return PostgresOldRecords(team_url)


async def add(sql: asyncpg.Connection, table: str, at: datetime) -> None:
    columns, select = ROWS[table].split(" SELECT ")
    statement = f"INSERT INTO {table} ({columns}) SELECT {select}"
    await sql.execute(statement, TEAM_ID, lowest_id(at))


async def count(sql: asyncpg.Connection, table: str) -> int:
    counted: int = await sql.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
    return counted


@pytest.mark.usefixtures("old_months")
@pytest.mark.parametrize("kind", TABLES)
async def test_a_month_goes_when_all_of_it_is_old(
    kind: RecordKind, records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    table = TABLES[kind]
    await sql.execute(A_GROUP, "f", "open", datetime.now(UTC))
    for at in (OLD, OLD + timedelta(days=20), NEXT):
        await add(sql, table, at)

    early = await records.remove(kind, NEXT - timedelta(seconds=1), dry_run=False)
    counted = await records.remove(kind, NEXT, dry_run=True)
    before = await count(sql, table)
    removed = await records.remove(kind, NEXT, dry_run=False)

    assert early == Removed()
    assert removed == counted == Removed(records=2, months=(partition_name(table, OLD),))
    assert (before, await count(sql, table)) == (3, 1)
    assert await records.remove(kind, NEXT, dry_run=False) == Removed()


@pytest.mark.usefixtures("old_months")
async def test_what_a_killed_run_left_detached_goes_with_the_next(
    records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    await add(sql, "events", OLD)
    month = partition_name("events", OLD)
    await sql.execute(f"ALTER TABLE events DETACH PARTITION {month}")

    removed = await records.remove(RecordKind.EVENTS, NEXT, dry_run=False)

    assert removed == Removed(records=1, months=(month,))


@pytest.mark.usefixtures("old_months")
async def test_gives_way_to_those_who_work(
    team_url: str, records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    await add(sql, "events", OLD)
    reader = await asyncpg.connect(team_url)
    async with reader.transaction():
        await reader.fetch("SELECT * FROM events")
        with pytest.raises(UnavailableError):
            await records.remove(RecordKind.EVENTS, NEXT, dry_run=False)
    await reader.close()

    removed = await records.remove(RecordKind.EVENTS, NEXT, dry_run=False)

    assert removed.records == 1


async def test_the_records_of_these_days_stay(
    records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    now = datetime.now(UTC)
    await ensure_partitions(sql, (now,))
    await add(sql, "events", now)

    assert await records.remove(RecordKind.EVENTS, now, dry_run=False) == Removed()
    assert await count(sql, "events") == 1


async def test_old_notifications_go_one_by_one(
    records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    await sql.execute(
        "INSERT INTO users"
        " (id, display_name, created_at, avatar_colour, locale, is_active, is_operator)"
        " VALUES ($1, 'Ada', now(), '#000000', 'en', true, false)",
        USER_ID,
    )
    await sql.execute("INSERT INTO memberships SELECT id, $1, 'owner' FROM teams", USER_ID)
    for at in (OLD, NEXT):
        await sql.execute(
            "INSERT INTO notifications (team_id, id, user_id, event_id, type, title, data,"
            " created_at) VALUES ($1, uuidv7(), $2, uuidv7(), 't', 't', '{}', $3)",
            TEAM_ID,
            USER_ID,
            at,
        )

    counted = await records.remove(RecordKind.NOTIFICATIONS, NEXT, dry_run=True)
    before = await count(sql, "notifications")
    removed = await records.remove(RecordKind.NOTIFICATIONS, NEXT, dry_run=False)

    assert removed == counted == Removed(records=1)
    assert (before, await count(sql, "notifications")) == (2, 1)


async def test_responses_go_when_their_time_is_over(
    records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    for expires_at in (OLD, NEXT, None):
        await sql.execute(
            "INSERT INTO responses (team_id, id, model, status, input, document, item_ids, bytes,"
            " created_at, expires_at)"
            " VALUES ($1, uuidv7(), 'm', 'completed', '[]', '{}', '{}', 2, now(), $2)",
            TEAM_ID,
            expires_at,
        )

    counted = await records.remove(RecordKind.RESPONSES, NEXT, dry_run=True)
    before = await count(sql, "responses")
    removed = await records.remove(RecordKind.RESPONSES, NEXT, dry_run=False)

    assert removed == counted == Removed(records=1)
    assert (before, await count(sql, "responses")) == (3, 2)


async def test_accounts_of_budgets_go_some_time_after_their_period(
    records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    for period, subject, starts_at, held in (
        ("month", TEAM_ID, OLD, 0),
        ("month", TEAM_ID, NEXT, 0),
        ("day", USER_ID, OLD, 0),
        ("day", USER_ID, OLD + timedelta(days=1), 1),
        ("total", OTHER_TEAM_ID, datetime(1970, 1, 1, tzinfo=UTC), 0),
    ):
        await sql.execute(
            "INSERT INTO budgets VALUES ($1, $2, $3, 5, $4, true) ON CONFLICT DO NOTHING",
            TEAM_ID,
            "user" if subject is USER_ID else "team",
            subject,
            period,
        )
        await sql.execute(
            "INSERT INTO budget_periods VALUES ($1, $2, $3, $4, 0, $5, 0)",
            TEAM_ID,
            "user" if subject is USER_ID else "team",
            subject,
            starts_at,
            held,
        )
    almost = NEXT - timedelta(seconds=1)

    early = await records.remove(RecordKind.BUDGETS, almost, dry_run=True)
    counted = await records.remove(RecordKind.BUDGETS, NEXT + timedelta(seconds=1), dry_run=True)
    removed = await records.remove(RecordKind.BUDGETS, NEXT + timedelta(seconds=1), dry_run=False)

    assert early == Removed(records=1)
    assert removed == counted == Removed(records=2)
    left = await sql.fetch("SELECT starts_at FROM budget_periods ORDER BY starts_at")
    assert [row["starts_at"] for row in left] == [
        datetime(1970, 1, 1, tzinfo=UTC),
        OLD + timedelta(days=1),
        NEXT,
    ]


async def test_a_group_of_errors_goes_with_its_last_occurrence_unless_it_is_ignored(
    records: PostgresOldRecords, sql: asyncpg.Connection
) -> None:
    for fingerprint, state, seen in (
        ("old", "resolved", OLD),
        ("ignored", "ignored", OLD),
        ("recent", "open", NEXT),
    ):
        await sql.execute(A_GROUP, fingerprint, state, seen)

    await records.remove(RecordKind.ERRORS, NEXT, dry_run=False)

    left = await sql.fetch("SELECT fingerprint FROM error_groups ORDER BY fingerprint")
    assert [row["fingerprint"] for row in left] == ["ignored", "recent"]


async def test_only_one_node_is_at_it(team_url: str) -> None:
    one, two = PostgresOldRecords(team_url), PostgresOldRecords(team_url)

    async with one.alone() as first, two.alone() as second:
        assert (first, second) == (True, False)
    await asyncio.sleep(0.05)
    async with two.alone() as third:
        assert third


async def test_the_teams_of_operators_are_those_with_an_active_one(
    team_url: str, sql: asyncpg.Connection
) -> None:
    users = (USER_ID, UserId(uuid7_at(START, 60)))
    for user_id, is_active in zip(users, (True, False), strict=True):
        await sql.execute(
            "INSERT INTO users"
            " (id, display_name, created_at, avatar_colour, locale, is_active, is_operator)"
            " VALUES ($1, 'Ada', now(), '#000000', 'en', $2, true)",
            user_id,
            is_active,
        )
    await sql.execute("INSERT INTO memberships VALUES ($1, $2, 'viewer')", TEAM_ID, users[0])
    await sql.execute("INSERT INTO memberships VALUES ($1, $2, 'owner')", OTHER_TEAM_ID, users[1])
    engine = make_engine(team_url)

    async with PostgresUnitOfWork(make_sessions(engine)) as tx:
        teams = await tx.operators.teams()
    await engine.dispose()

    assert teams == [TEAM_ID]
