"""No call that was sent is ever missing, and none is double, whatever dies."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from adapters.embedded_postgres.server import EmbeddedPostgres
from adapters.postgres.engine import make_engine
from adapters.postgres.inference.ledger import PostgresLedger
from adapters.postgres.inference.orphaned_calls import PostgresOrphanedCalls
from adapters.postgres.migrate import upgrade
from tests.builders import TEAM_ID
from tests.fakes.clock import START
from tests.fixtures.embedded_postgres import PROJECT, execute, postmaster_of
from tests.fixtures.ledger_load import (
    a_call_now,
    make_call,
    make_calls,
    statuses,
    stored_ids,
    succeed,
)
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.zygote import run_forked

TERMINATE_LEDGER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE 'stoa ledger%'"
)
COUNT_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE 'stoa ledger%'"
)


@pytest.fixture
async def ledger(team_url: str) -> AsyncIterator[PostgresLedger]:
    ledger = PostgresLedger(team_url, process=1)
    await ledger.start()
    yield ledger
    await ledger.stop()


async def test_two_thousand_calls_at_once_have_one_settled_row_each(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    calls = [a_call_now() for _ in range(2000)]

    await asyncio.gather(*(make_call(ledger, call) for call in calls))
    left = await ledger.flush(10)

    assert left == 0
    assert await stored_ids(sql) == Counter(call.id for call in calls)
    assert await statuses(sql) == {"succeeded": 2000}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("rows", [1, 20, 500])
async def test_what_was_sent_survives_the_kill_of_its_process(
    team_url: str, sql: asyncpg.Connection, rows: int, loop: str
) -> None:
    sent = await asyncio.to_thread(_run_victim, team_url, rows, loop)
    await _until_there_are(0, sql)

    stored = await stored_ids(sql)
    engine = make_engine(team_url)
    interrupted = await PostgresOrphanedCalls(engine, process=0).interrupt(START)
    await engine.dispose()
    assert rows == len(sent)
    assert sent <= set(stored)
    assert set(stored.values()) == {1}
    assert interrupted == len(stored)
    assert await statuses(sql) == {"interrupted": len(stored)}


async def test_connections_that_are_killed_again_and_again_lose_nothing(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    kills, calls = 0, []

    async def work() -> None:
        while kills < 6:
            calls.extend(await make_calls(ledger, 500, at_once=50))

    load = asyncio.create_task(work())
    async with asyncio.timeout(PATIENCE_S):
        while kills < 6:
            await asyncio.sleep(0.05)
            kills += len(await sql.fetch(TERMINATE_LEDGER))
    await load
    left = await ledger.flush(PATIENCE_S)

    assert left == 0
    assert await stored_ids(sql) == Counter(call.id for call in calls)
    assert await statuses(sql) == {"succeeded": len(calls)}


async def test_an_idle_ledger_gets_its_connections_back(
    ledger: PostgresLedger, sql: asyncpg.Connection
) -> None:
    await make_call(ledger, a_call_now())
    await ledger.flush(PATIENCE_S)
    killed = len(await sql.fetch(TERMINATE_LEDGER))

    await _until_there_are(2, sql)
    await make_call(ledger, a_call_now())

    assert killed == 2
    assert await ledger.flush(PATIENCE_S) == 0


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
async def test_a_restart_of_the_database_under_load_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, end: signal.Signals
) -> None:
    data_dir = tmp_path_factory.mktemp("d")
    server = EmbeddedPostgres(data_dir)
    url = await server.start()
    await upgrade(url)
    await execute(url, f"INSERT INTO teams VALUES ('{TEAM_ID}', 'Acme', now())")  # noqa: S608
    ledger = PostgresLedger(url, process=1, sent_timeout_s=PATIENCE_S)
    await ledger.start()

    load = asyncio.create_task(make_calls(ledger, 2000, at_once=50))
    await asyncio.sleep(0.1)
    os.kill(postmaster_of(data_dir), end)
    await asyncio.sleep(0.1)
    was_under_load = not load.done()
    await server.stop()
    same_url = await server.start()
    calls = await load
    await ledger.stop()
    connection = await asyncpg.connect(url)
    ids, found = await stored_ids(connection), await statuses(connection)
    await connection.close()
    await server.stop()

    assert was_under_load
    assert same_url == url
    assert ids == Counter(call.id for call in calls)
    assert found == {"succeeded": 2000}


async def test_stopping_writes_what_is_queued(team_url: str, sql: asyncpg.Connection) -> None:
    ledger = PostgresLedger(team_url, process=1, outcome_linger_s=60)
    await ledger.start()
    calls = [a_call_now() for _ in range(300)]
    await asyncio.gather(*(make_call(ledger, call) for call in calls[:200]))
    for call in calls[200:]:
        ledger.open(call)
        succeed(call)
        ledger.settle(call)

    await ledger.stop()

    assert await statuses(sql) == {"succeeded": 300}
    assert ledger.backlog == 0


async def _until_there_are(count: int, sql: asyncpg.Connection) -> None:
    """Wait until the ledger has so many connections; with none, the server is also done with what
    was sent through them."""
    async with asyncio.timeout(PATIENCE_S):
        while await sql.fetchval(COUNT_CONNECTIONS) != count:
            await asyncio.sleep(0.01)


def _run_victim(url: str, rows: int, loop: str) -> set[UUID]:
    victim = run_forked(
        (url, str(rows), loop),
        environment=os.environ,
        cwd=PROJECT,
        program="tests.fixtures.ledger_victim",
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    return {UUID(line) for line in victim.stdout.split()}
