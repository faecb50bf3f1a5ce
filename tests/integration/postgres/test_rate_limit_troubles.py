"""What the counters of limits do while the database is away, and with what was left behind."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.postgres.inference.limit_sweep import sweep_limits
from adapters.postgres.inference.process_presence import ProcessPresence
from adapters.postgres.inference.rate_limits import PostgresRateLimits
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.operations.records.error_reporter import ErrorReporter
from domain.shared.errors import UnavailableError
from tests.fakes.errors import RecordingErrorLog
from tests.fixtures.demands import of_key, refused, until_admitted
from tests.fixtures.patience import PATIENCE_S, until_told

_ONE_HOLDER_IS_DEAD = (
    "UPDATE limit_slots SET process = 4711 WHERE id IN (SELECT id FROM limit_slots LIMIT 1)"
)
NOWHERE = "postgresql://stoa@/stoa?host=/nonexistent"


@pytest.fixture
async def presence(database_url: str) -> AsyncIterator[ProcessPresence]:
    presence = ProcessPresence(database_url)
    await presence.start()
    yield presence
    await presence.stop()


@pytest.fixture
async def limits(database_url: str, presence: ProcessPresence) -> AsyncIterator[PostgresRateLimits]:
    limits = PostgresRateLimits(database_url, process=presence.process, linger_s=0.002)
    yield limits
    await limits.stop()


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_a_caller_waits_no_longer_than_was_set() -> None:
    limits = PostgresRateLimits(NOWHERE, process=1, timeout_s=0.2)
    started = time.monotonic()

    with pytest.raises(UnavailableError) as away:
        await limits.take(of_key(rpm=1))

    assert time.monotonic() - started > 0.15
    assert away.value.retry_after is not None
    await limits.stop()


async def test_stopping_tells_those_who_still_wait() -> None:
    limits = PostgresRateLimits(NOWHERE, process=1)
    waiting = asyncio.create_task(limits.take(of_key(rpm=1)))
    await asyncio.sleep(0.05)

    await limits.stop()

    with pytest.raises(UnavailableError):
        await waiting


async def test_what_is_given_back_while_nobody_counts_yet_does_no_harm() -> None:
    limits = PostgresRateLimits(NOWHERE, process=1, linger_s=0.001)

    limits.release(of_key(rpm=1))
    limits.settle(of_key(concurrency=1), 0)
    await asyncio.sleep(0.05)

    await limits.stop()


async def test_a_connection_that_breaks_loses_no_place(
    limits: PostgresRateLimits, sql: asyncpg.Connection
) -> None:
    held = of_key(concurrency=1)
    await limits.take(held)

    await _break_connections(sql)
    limits.settle(held, 0)

    await until_admitted(limits, lambda: of_key(concurrency=1))


async def test_calls_wait_for_the_connection_to_come_back(
    limits: PostgresRateLimits, sql: asyncpg.Connection
) -> None:
    await limits.take(of_key(rpm=1000))
    await _break_connections(sql)

    results = await asyncio.gather(*(limits.take(of_key(rpm=1000)) for _ in range(20)))

    assert all(one.requests is not None for one in results)


async def test_a_call_that_was_given_up_while_others_held_the_counters_keeps_nothing(
    limits: PostgresRateLimits, sql: asyncpg.Connection
) -> None:
    await limits.look(of_key(rpm=10, tpm=100, concurrency=1))
    async with sql.transaction():
        await sql.execute("SELECT 1 FROM limit_counters FOR UPDATE")
        task = asyncio.create_task(limits.take(of_key(rpm=10, tpm=100, concurrency=1, tokens=50)))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await until_admitted(limits, lambda: of_key(rpm=10, tpm=100, concurrency=1, tokens=60))
    assert await sql.fetchval("SELECT count(*) FROM limit_slots") == 1


async def test_the_sweep_forgets_what_says_nothing_any_more(
    limits: PostgresRateLimits,
    presence: ProcessPresence,
    sql: asyncpg.Connection,
    database_url: str,
) -> None:
    await limits.take(of_key(rpm=5, concurrency=5))
    await limits.take(of_key(rpm=5, concurrency=5))
    await sql.execute(_ONE_HOLDER_IS_DEAD)
    await sql.execute(
        "INSERT INTO limit_counters SELECT team_id, 'api', subject_kind, subject_id, 1, 1,"
        " now() - interval '25 hours' FROM limit_counters"
    )

    await sweep_limits(database_url, presence.process)

    assert await sql.fetchval("SELECT array_agg(process) FROM limit_slots") == [presence.process]
    assert await sql.fetchval("SELECT array_agg(purpose) FROM limit_counters") == ["calls"]


async def test_the_sweep_runs_by_itself(
    database_url: str, presence: ProcessPresence, sql: asyncpg.Connection
) -> None:
    limits = PostgresRateLimits(database_url, process=presence.process, sweep_every_s=0.05)
    await limits.take(of_key(concurrency=1))
    await sql.execute("UPDATE limit_slots SET process = 4711")

    async with asyncio.timeout(PATIENCE_S):
        while await sql.fetchval("SELECT count(*) FROM limit_slots"):
            await asyncio.sleep(0.02)

    await limits.stop()


async def test_refusals_drop_places_of_the_dead_only(
    limits: PostgresRateLimits, sql: asyncpg.Connection
) -> None:
    await limits.take(of_key(concurrency=2))
    await limits.take(of_key(concurrency=2))
    await sql.execute(_ONE_HOLDER_IS_DEAD)

    await limits.take(of_key(concurrency=2))

    await refused(limits.take(of_key(concurrency=2)))


async def _break_connections(sql: asyncpg.Connection) -> None:
    await sql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'stoa limits'"
    )


async def test_a_sweep_that_fails_is_on_record_and_tried_again(
    limits: PostgresRateLimits,
    presence: ProcessPresence,
    database_url: str,
    sql: asyncpg.Connection,
) -> None:
    errors = RecordingErrorLog()
    sweeping = PostgresRateLimits(
        database_url,
        process=presence.process,
        sweep_every_s=0.02,
        reporter=ErrorReporter(errors=errors, clock=SystemClock(), ids=SystemIds()),
    )
    await sql.execute("ALTER TABLE limit_slots RENAME TO gone")
    with capture_logs() as logs:
        await sweeping.look(of_key(rpm=1))
        async with asyncio.timeout(PATIENCE_S):
            while not any(entry["event"] == "limits.sweep_failed" for entry in logs):
                await asyncio.sleep(0.02)
    await sql.execute("ALTER TABLE gone RENAME TO limit_slots")

    await limits.take(of_key(concurrency=1))

    await sweeping.stop()
    assert {one.route for one in errors.occurrences} == {"limits"}


async def test_what_begins_and_ends_while_the_database_is_held_up_keeps_no_place(
    limits: PostgresRateLimits, sql: asyncpg.Connection
) -> None:
    first, held_up, queued = (of_key(concurrency=100) for _ in range(3))
    await limits.take(first)
    async with sql.transaction():
        await sql.execute("LOCK TABLE limit_counters, limit_slots")
        # Neither waits for its counters; one batch is under way with the first, and what follows
        # makes up the next one.
        await limits.take(held_up)
        await asyncio.sleep(0.05)
        await limits.take(queued)
        await asyncio.sleep(0.05)
        limits.settle(queued, None)
        await asyncio.sleep(0.05)

    async def are_told() -> bool:
        found = await sql.fetch("SELECT id FROM limit_slots")
        return {row["id"] for row in found} == {first.id, held_up.id}

    await until_told(are_told)
    # What was there a moment too early would be so for ever.
    limits.settle(first, None)
    limits.settle(held_up, None)
    await until_told(lambda: _has_no_slots(sql))


async def _has_no_slots(sql: asyncpg.Connection) -> bool:
    return not await sql.fetchval("SELECT count(*) FROM limit_slots")
