"""What the ledger does with rows that the database refuses, and while it is away."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.postgres.inference.ledger import PostgresLedger
from domain.inference.call import Call, CallContent, CallStatus
from domain.inference.errors import LedgerUnavailableError
from domain.shared.ids import TeamId
from domain.shared.usage import Usage
from tests.builders import TEAM_ID
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.ledger_load import a_call_now, make_call, statuses, succeed
from tests.fixtures.patience import PATIENCE_S

NOWHERE = "postgresql://stoa@/stoa?host=/nonexistent"
NO_TEAM = TeamId(uuid7_at(START, 666))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def ledger(team_url: str) -> AsyncIterator[PostgresLedger]:
    ledger = PostgresLedger(team_url, process=1)
    await ledger.start()
    yield ledger
    await ledger.stop()


@pytest.mark.parametrize(
    "fields",
    [{"team_id": NO_TEAM}, {"created_at": LONG_AGO}],
    ids=["a team that is gone", "a month without a partition"],
)
async def test_a_bad_row_takes_no_other_along(
    ledger: PostgresLedger, sql: asyncpg.Connection, fields: dict[str, Any]
) -> None:
    calls = [a_call_now() for _ in range(100)]
    bad = a_call_now(**fields)
    calls.insert(37, bad)

    with capture_logs() as logs:
        results = await asyncio.gather(
            *(make_call(ledger, call) for call in calls), return_exceptions=True
        )
        left = await ledger.flush(PATIENCE_S)

    errors = [entry for entry in logs if entry["event"] == "ledger.row_refused"]
    assert left == 0
    assert isinstance(results.pop(37), LedgerUnavailableError)
    assert results == [None] * 100
    assert await statuses(sql) == {"succeeded": 100}
    assert [entry["row"]["id"] for entry in errors] == [str(bad.id)]
    assert errors[0]["log_level"] == "error"
    assert errors[0]["error"]
    assert "Failing row" not in errors[0]["error"]


async def test_the_outcome_of_a_refused_row_is_logged_too(ledger: PostgresLedger) -> None:
    early, late = a_call_now(team_id=NO_TEAM), a_call_now(team_id=NO_TEAM)

    with capture_logs() as logs:
        writes = [ledger.open(call) for call in (a_call_now(), early, late)]
        await writes[1].sent
        succeed(early)
        ledger.settle(early)
        for written in writes[1:]:
            with pytest.raises(LedgerUnavailableError):
                await written.committed
        succeed(late)
        ledger.settle(late)
        left = await ledger.flush(PATIENCE_S)

    refused = {
        (entry["row"]["id"], entry["row"]["status"])
        for entry in logs
        if entry["event"] == "ledger.row_refused"
    }
    assert left == 0
    assert {(str(early.id), "succeeded"), (str(late.id), "succeeded")} <= refused


async def test_a_refused_outcome_is_logged_and_blocks_nothing(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    bad, good = a_call_now(), a_call_now()
    for call in (bad, good):
        await ledger.open(call).committed
    bad.settle(CallStatus.SUCCEEDED, at=START, latency_ms=1.0, usage=Usage(prompt_tokens=2**70))
    succeed(good)

    with capture_logs() as logs:
        ledger.settle(bad)
        ledger.settle(good)
        left = await ledger.flush(PATIENCE_S)

    refused = [entry["row"] for entry in logs if entry["event"] == "ledger.outcome_refused"]
    assert left == 0
    assert [row["prompt_tokens"] for row in refused] == [2**70]
    assert await statuses(sql) == {"open": 1, "succeeded": 1}


async def test_stores_what_text_cannot_hold(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    call = a_call_now(
        model="m" * 100_000,
        correlation_id="a\0\0b\\\0\\u0000",
        endpoint="\ud800",
        provider='"\n\t',
    )
    succeed(call)
    call.content = CallContent(request="\0\udfff", response="\\\\u0000")

    await ledger.record(call)

    row = await sql.fetchrow("SELECT * FROM calls JOIN call_contents USING (team_id, id)")
    assert len(row["model"]) == 256
    assert row["correlation_id"] == "a��b\\�\\u0000"
    assert row["endpoint"] == "?"
    assert row["provider"] == '"\n\t'
    assert (row["request"], row["response"]) == ("�?", "\\\\u0000")


async def test_writes_contents_that_are_larger_than_a_socket_takes(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    calls = [a_call_now(content=CallContent(request="r" * 3_000_000, response="")) for _ in "1234"]
    for call in calls:
        succeed(call)

    await asyncio.gather(*(ledger.record(call) for call in calls))

    sizes = await sql.fetch("SELECT length(request) AS size FROM call_contents")
    assert [row["size"] for row in sizes] == [3_000_000] * 4


async def test_a_second_outcome_changes_nothing(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    call = a_call_now()
    await make_call(ledger, call)
    call.settle(CallStatus.FAILED, at=START, latency_ms=2.0)

    with capture_logs() as logs:
        ledger.settle(call)
    await ledger.flush(PATIENCE_S)

    assert [entry["event"] for entry in logs] == ["ledger.outcome_without_row"]
    assert await statuses(sql) == {"succeeded": 1}


async def test_the_outcome_of_a_call_replaces_its_interruption(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    call = a_call_now()
    await ledger.open(call).committed
    await sql.execute("UPDATE calls SET status = 'interrupted', error_code = 'PROCESS_DIED'")
    succeed(call)

    ledger.settle(call)
    await ledger.flush(PATIENCE_S)

    assert await statuses(sql) == {"succeeded": 1}
    assert await sql.fetchval("SELECT error_code FROM calls") is None


async def test_a_full_queue_refuses_at_once(team_url: str, sql: asyncpg.Connection) -> None:
    ledger = PostgresLedger(team_url, process=1, max_queued=2)
    queued, refused = [a_call_now(), a_call_now()], a_call_now()
    for call in queued:
        ledger.open(call)

    started = time.monotonic()
    written = ledger.open(refused)
    with pytest.raises(LedgerUnavailableError):
        await written.sent
    with pytest.raises(LedgerUnavailableError):
        await written.committed
    with pytest.raises(LedgerUnavailableError):
        await ledger.record(refused)
    took = time.monotonic() - started
    refused.settle(CallStatus.FAILED, at=START, latency_ms=0.0)
    ledger.settle(refused)
    backlog = ledger.backlog
    await ledger.start()
    await ledger.stop()

    assert took < PATIENCE_S / 2
    assert backlog == 2
    assert await statuses(sql) == {"open": 2}


async def test_a_row_that_nobody_waits_for_any_more_still_lands(
    team_url: str, sql: asyncpg.Connection
) -> None:
    ledger = PostgresLedger(team_url, process=1, sent_timeout_s=0.05)
    call = a_call_now()

    started = time.monotonic()
    with pytest.raises(LedgerUnavailableError) as error:
        await ledger.open(call).sent
    took = time.monotonic() - started
    call.settle(CallStatus.FAILED, at=START, latency_ms=0.0, error_code=error.value.code)
    ledger.settle(call)
    before = await statuses(sql)
    await ledger.start()
    await ledger.stop()

    assert took > 0.04
    assert before == {}
    assert await statuses(sql) == {"failed": 1}


async def test_waits_no_longer_for_durability_than_it_may() -> None:
    ledger = PostgresLedger(NOWHERE, process=1, committed_timeout_s=0.05)
    await ledger.start()

    with pytest.raises(LedgerUnavailableError):
        await _committed(ledger, a_call_now())
    left = await ledger.flush(0.05)
    await ledger.stop(timeout_s=0)

    assert left == 1


async def test_a_refusal_waits_no_longer_than_a_call_for_its_row() -> None:
    ledger = PostgresLedger(NOWHERE, process=1, sent_timeout_s=0.05)
    await ledger.start()
    call = a_call_now()
    call.settle(CallStatus.REFUSED, at=START, latency_ms=0.0)

    with pytest.raises(LedgerUnavailableError):
        await asyncio.wait_for(ledger.record(call), PATIENCE_S)
    left = await ledger.flush(0.05)
    await ledger.stop(timeout_s=0)

    assert left == 1


async def test_one_who_gives_up_waiting_does_not_disturb_the_others(
    team_url: str, sql: asyncpg.Connection
) -> None:
    ledger = PostgresLedger(team_url, process=1)
    written = ledger.open(a_call_now())
    waiting = [asyncio.ensure_future(_all_of(written)) for _ in range(3)]
    await asyncio.sleep(0.01)

    waiting[0].cancel()
    await asyncio.sleep(0)
    await ledger.start()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await ledger.stop()

    assert [type(result) for result in results] == [asyncio.CancelledError, int, int]
    assert await statuses(sql) == {"open": 1}


async def test_what_cannot_be_written_before_the_end_is_logged_without_contents() -> None:
    ledger = PostgresLedger(NOWHERE, process=1)
    await ledger.start()
    call = a_call_now()
    ledger.open(call)
    succeed(call)
    call.content = CallContent(request="a secret", response="another")
    ledger.settle(call)

    with capture_logs() as logs:
        await ledger.stop(timeout_s=0.05)

    [lost] = [entry for entry in logs if entry["event"] == "ledger.row_lost"]
    assert lost["row"]["id"] == str(call.id)
    assert lost["row"]["status"] == "succeeded"
    assert lost["row"]["content"] == "[OMITTED]"
    assert "secret" not in str(logs)


async def test_a_ledger_with_nothing_to_do_stands_in_the_way_of_no_migration(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    prepared = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'stoa ledger%' AND query = 'SELECT 1'"
    )
    async with asyncio.timeout(PATIENCE_S):
        while await sql.fetchval(prepared) < 2:
            await asyncio.sleep(0.01)

    migration = sql.transaction()
    await migration.start()
    await sql.execute("SET LOCAL lock_timeout = '60s'; ALTER TABLE calls ADD COLUMN canary int")
    await migration.rollback()

    await make_call(ledger, a_call_now())
    assert await ledger.flush(PATIENCE_S) == 0


async def test_a_team_that_is_being_changed_holds_no_call_up(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    await ledger.open(a_call_now()).committed

    async with sql.transaction():
        await sql.execute("SELECT 1 FROM teams WHERE id = $1 FOR NO KEY UPDATE", TEAM_ID)
        await sql.execute("UPDATE teams SET name = 'x' WHERE id = $1", TEAM_ID)
        async with asyncio.timeout(PATIENCE_S):
            await make_call(ledger, a_call_now())

    assert await ledger.flush(PATIENCE_S) == 0


async def _committed(ledger: PostgresLedger, call: Call) -> None:
    await ledger.open(call).committed


async def _all_of(written: Any) -> int:
    await written.sent
    await written.committed
    return 1
