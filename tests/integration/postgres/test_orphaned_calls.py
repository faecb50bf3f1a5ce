import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine
from adapters.postgres.inference.ledger import PostgresLedger
from adapters.postgres.inference.orphaned_calls import PostgresOrphanedCalls
from adapters.postgres.inference.process_presence import ProcessPresence
from domain.shared.errors import UnavailableError
from tests.fakes.clock import START
from tests.fixtures.embedded_postgres import PROJECT
from tests.fixtures.ledger_load import a_call_now, statuses, succeed
from tests.fixtures.patience import PATIENCE_S, until
from tests.fixtures.zygote import ForkedProcess, fork

LOCK_HOLDERS = (
    "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
    " WHERE locktype = 'advisory' AND granted AND d.datname = current_database()"
    " AND pid <> ALL($1::int[])"
)
TERMINATE_PRESENCE = (
    "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'stoa presence'"
)


@pytest.fixture
async def engine(team_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(team_url)
    yield engine
    await engine.dispose()


@dataclass(frozen=True)
class LivingProcess:
    process: ForkedProcess
    output: Path

    async def call(self) -> UUID:
        """The call that it has opened."""
        await until(lambda: self.output.exists() and self.output.read_text().endswith("\n"))
        return UUID(self.output.read_text().strip())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def a_living_process(url: str, folder: Path) -> Iterator[LivingProcess]:
    folder.mkdir()
    output = folder / "output"
    process = fork(
        (url,),
        environment=os.environ,
        cwd=PROJECT,
        streams=(Path(os.devnull), output, folder / "errors"),
        code=folder / "code",
        program="tests.fixtures.living_process",
    )
    living = LivingProcess(process, output)
    try:
        yield living
    finally:
        living.kill()


async def test_interrupts_the_calls_of_a_killed_process_and_no_others(
    team_url: str, engine: AsyncEngine, sql: asyncpg.Connection, tmp_path: Path
) -> None:
    orphans = PostgresOrphanedCalls(engine, process=0)
    with (
        a_living_process(team_url, tmp_path / "victim") as victim,
        a_living_process(team_url, tmp_path / "survivor") as survivor,
    ):
        of_victim, of_survivor = await victim.call(), await survivor.call()
        while_both_live = await orphans.interrupt(START)

        victim.kill()
        async with asyncio.timeout(PATIENCE_S):
            interrupted = 0
            while not interrupted:
                interrupted = await orphans.interrupt(START)

        rows = await sql.fetch("SELECT id, status, error_code, settled_at FROM calls")
    found = {row["id"]: (row["status"], row["error_code"], row["settled_at"]) for row in rows}
    assert while_both_live == 0
    assert interrupted == 1
    assert found == {
        of_victim: ("interrupted", "PROCESS_DIED", START),
        of_survivor: ("open", None, None),
    }


async def test_never_takes_its_own_calls_for_orphans(team_url: str, engine: AsyncEngine) -> None:
    ledger = PostgresLedger(team_url, process=42)
    await ledger.start()
    await ledger.open(a_call_now()).committed

    own = await PostgresOrphanedCalls(engine, process=42).interrupt(START)
    of_others = await PostgresOrphanedCalls(engine, process=43).interrupt(START)
    await ledger.stop()

    assert (own, of_others) == (0, 1)


async def test_a_process_that_lost_the_database_for_a_moment_keeps_its_calls(
    team_url: str, engine: AsyncEngine, sql: asyncpg.Connection
) -> None:
    presence = ProcessPresence(team_url)
    await presence.start()
    ledger = PostgresLedger(team_url, process=presence.process)
    await ledger.start()
    call = a_call_now()
    await ledger.open(call).committed

    killed = [row["pid"] for row in await sql.fetch(TERMINATE_PRESENCE)]
    async with asyncio.timeout(PATIENCE_S):
        while await sql.fetchval(LOCK_HOLDERS, killed) < 1:
            await asyncio.sleep(0.005)
    interrupted = await PostgresOrphanedCalls(engine, process=0).interrupt(START)
    succeed(call)
    ledger.settle(call)
    await ledger.stop()
    await presence.stop()

    assert len(killed) == 1
    assert interrupted == 0
    assert await statuses(sql) == {"succeeded": 1}


async def test_two_nodes_may_look_for_orphans_at_once(
    team_url: str, engine: AsyncEngine, sql: asyncpg.Connection
) -> None:
    ledger = PostgresLedger(team_url, process=42)
    await ledger.start()
    await asyncio.gather(*(_open(ledger) for _ in range(50)))
    await ledger.stop()

    counts = await asyncio.gather(
        *(PostgresOrphanedCalls(engine, process=node).interrupt(START) for node in range(4))
    )

    assert sum(counts) == 50
    assert await statuses(sql) == {"interrupted": 50}


async def test_a_presence_that_cannot_be_shown_is_an_error() -> None:
    presence = ProcessPresence("postgresql://stoa@/stoa?host=/nonexistent", timeout_s=0.1)

    with pytest.raises(UnavailableError):
        await presence.start()


async def _open(ledger: PostgresLedger) -> None:
    await ledger.open(a_call_now()).committed
