"""The record of technical errors on Postgres: many processes, trouble, and what the ledger lost."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.inference.ledger import PostgresLedger
from adapters.postgres.operations.error_log import BufferedErrorLog
from adapters.postgres.operations.error_reader import PostgresErrorReader
from adapters.postgres.operations.error_writer import PostgresErrorWriter
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.operations.records.error_reporter import ErrorReporter
from domain.inference.call import CallContent
from domain.inference.errors import LedgerUnavailableError
from domain.operations.technical_error import ErrorOccurrence
from domain.shared.ids import ErrorId, TeamId
from tests.builders import TEAM_ID, USER_ID, an_occurrence
from tests.fakes.clock import START
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.ids import uuid7_at
from tests.fixtures.ledger_load import a_call_now

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NO_TEAM = TeamId(uuid7_at(START, 666))
THRESHOLD = 20
AN_OPERATOR = (
    "INSERT INTO users (id, display_name, created_at, avatar_colour, locale, is_active,"
    " is_operator) VALUES ($1, 'Ada', now(), '#64748b', 'en', true, true)"
)


def now(**fields: object) -> ErrorOccurrence:
    at = datetime.now(UTC)
    return an_occurrence(**({"id": ErrorId(SystemIds().new()), "at": at} | fields))


@pytest.fixture
async def nodes(team_url: str) -> AsyncIterator[list[BufferedErrorLog]]:
    """The records of three processes with one database."""
    async with AsyncExitStack() as stack:
        logs = []
        for _ in range(3):
            engine = make_engine(team_url, pool_size=2)
            stack.push_async_callback(engine.dispose)
            log = BufferedErrorLog()
            writer = PostgresErrorWriter(make_sessions(engine), SystemIds(), lambda: THRESHOLD)
            log.start(writer.write)
            stack.push_async_callback(log.stop)
            logs.append(log)
        yield logs


async def test_all_processes_count_in_the_same_groups(
    nodes: list[BufferedErrorLog], sql: asyncpg.Connection
) -> None:
    await sql.execute(AN_OPERATOR, USER_ID)
    await sql.execute("INSERT INTO memberships VALUES ($1, $2, 'owner')", TEAM_ID, USER_ID)
    chance = random.Random(7)  # noqa: S311 - for a different order at every node

    for _ in range(10):
        for log in nodes:
            names = ["a", "b", "c"] * 5
            chance.shuffle(names)
            for name in names:
                log.record(now(fingerprint=name))
        await asyncio.sleep(0.03)
    await asyncio.gather(*(log.stop() for log in nodes))

    groups = await sql.fetch("SELECT fingerprint, count FROM error_groups ORDER BY fingerprint")
    assert [tuple(row) for row in groups] == [("a", 150), ("b", 150), ("c", 150)]
    assert await sql.fetchval("SELECT count(*) FROM error_logs") == 450
    told = await sql.fetch("SELECT type, data->>'group_id' FROM events")
    assert len(told) == len(set(told)) == 3


async def test_what_is_recorded_while_the_database_is_away_is_written_later(
    nodes: list[BufferedErrorLog], sql: asyncpg.Connection
) -> None:
    log = nodes[0]
    log.record(now())
    while not await sql.fetchval("SELECT count(*) FROM error_logs"):
        await asyncio.sleep(0.01)

    async with sql.transaction():
        await sql.execute("LOCK TABLE error_groups")
        log.record(now())
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'error_groups'::regclass"
        while not await sql.fetchval(f"{waiting} AND NOT granted"):
            await asyncio.sleep(0.01)
        await sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'stoa'"
        )
        log.record(now())
    await log.stop()

    assert await sql.fetchval("SELECT count FROM error_groups") == 3
    assert await sql.fetchval("SELECT count(*) FROM error_logs") == 3


async def test_an_occurrence_of_a_month_that_is_gone_takes_no_other_along(
    nodes: list[BufferedErrorLog], sql: asyncpg.Connection
) -> None:
    log = nodes[0]
    lost = an_occurrence(at=LONG_AGO)

    with capture_logs() as logs:
        for occurrence in (now(), lost, now()):
            log.record(occurrence)
        await log.stop()

    assert await sql.fetchval("SELECT count FROM error_groups") == 2
    assert [entry["error_id"] for entry in logs if entry["event"] == "errors.refused"] == [
        str(lost.id)
    ]


async def test_a_row_that_the_ledger_lost_is_on_record_without_its_content(team_url: str) -> None:
    errors = RecordingErrorLog()
    reporter = ErrorReporter(errors=errors, clock=SystemClock(), ids=SystemIds())
    ledger = PostgresLedger(team_url, process=1, reporter=reporter)
    await ledger.start()
    content = CallContent(request="the prompt", response="the answer")
    bad = a_call_now(team_id=NO_TEAM, content=content)

    with pytest.raises(LedgerUnavailableError), capture_logs():
        await ledger.open(bad).committed
    await ledger.stop()

    [occurrence] = errors.occurrences
    assert (occurrence.code, occurrence.route) == ("LEDGER_UNAVAILABLE", "ledger")
    assert occurrence.exception_type == "asyncpg.exceptions.ForeignKeyViolationError"
    assert (occurrence.team_id, occurrence.key_id) == (bad.team_id, bad.key_id)
    assert occurrence.correlation_id == bad.correlation_id
    assert "the prompt" not in occurrence.stack + occurrence.message


async def test_rows_that_wait_when_the_process_ends_are_on_record() -> None:
    errors = RecordingErrorLog()
    reporter = ErrorReporter(errors=errors, clock=SystemClock(), ids=SystemIds())
    ledger = PostgresLedger(
        "postgresql://stoa@/stoa?host=/nonexistent", process=1, reporter=reporter
    )
    await ledger.start()
    calls = [a_call_now(), a_call_now(user_id=None, key_id=None)]

    with capture_logs():
        for call in calls:
            ledger.open(call)
        await ledger.stop(timeout_s=0.01)

    assert [one.code for one in errors.occurrences] == ["LEDGER_UNAVAILABLE"] * 2
    assert [one.key_id for one in errors.occurrences] == [calls[0].key_id, None]


async def test_a_stack_that_is_the_same_every_time_is_stored_once(
    nodes: list[BufferedErrorLog], sql: asyncpg.Connection, team_url: str
) -> None:
    log = nodes[0]
    same = [now(stack="same") for _ in range(5)]
    other = now(stack="other")

    for occurrence in (*same[:3], other):
        log.record(occurrence)
    while await sql.fetchval("SELECT count(*) FROM error_logs") < 4:
        await asyncio.sleep(0.01)
    for occurrence in (now(stack="other"), *same[3:]):
        log.record(occurrence)
    await log.stop()

    stacks = await sql.fetch("SELECT stack FROM error_logs WHERE stack IS NOT NULL")
    assert sorted(row["stack"] for row in stacks) == ["other", "same", "same"]
    engine = make_engine(team_url, pool_size=1)
    reader = PostgresErrorReader(engine)
    found = [(await reader.find(one.id)).occurrence for one in same]
    await engine.dispose()
    assert found == same
