"""Allotments of several processes, while connections break and all comes and goes at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.teams import PostgresTeams
from adapters.system.clock import SystemClock
from application.inference.allotments.caller import AllotmentRules
from domain.identity.allowance import BudgetPeriod, BudgetTerms
from tests.builders import TEAM_ID, a_team
from tests.fakes.clock import FrozenClock
from tests.fixtures.budget_stores import PostgresBudgetStore
from tests.fixtures.budget_world import CENT, BudgetWorld

PROCESSES = 3
CALLERS = 12
CALLS = 20
CHANCE = random.Random(11)  # noqa: S311 - a repeatable load
EAGER = AllotmentRules(
    busy_calls=2, calls=8, least_calls=1, pause_s=0.0, pause_after_nothing_s=0.02
)
# The team's budget bounds all calls.
_STANDING = (
    "SELECT p.settled, p.held, b.amount,"
    " (SELECT coalesce(sum(coalesce(c.held, h.amount)), 0) FROM calls c LEFT JOIN budget_holds h"
    " ON h.call_id = c.id WHERE c.status = 'open') AS running"
    " FROM budget_periods p JOIN budgets b USING (team_id, subject_kind, subject_id)"
    " WHERE p.subject_kind = 'team'"
)
_ALLOTTED = "SELECT count(*) FROM calls WHERE allotment_id IS NOT NULL"
_ALLOTMENTS_LEFT = (
    "SELECT count(*) FROM budget_holds h"
    " WHERE NOT EXISTS (SELECT FROM calls c WHERE c.team_id = h.team_id AND c.id = h.call_id)"
)
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name IN ('stoa budgets', 'stoa ledger outcomes')"
)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[BudgetWorld]:
    engine = make_engine(database_url, pool_size=6)
    async with make_sessions(engine)() as session:
        await PostgresTeams(session).add(a_team())
        await session.commit()
    store = PostgresBudgetStore(database_url, engine, SystemClock(), EAGER)
    processes = [await store.process() for _ in range(PROCESSES)]
    clock = FrozenClock(datetime.now(UTC))
    yield BudgetWorld(store=store, clock=clock, team_id=TEAM_ID, processes=processes)
    await store.stop()
    await engine.dispose()


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def _call_on(world: BudgetWorld) -> None:
    for _ in range(CALLS):
        cents = CHANCE.randrange(1, 20)
        running = await world.open(CHANCE.randrange(PROCESSES), CHANCE.randrange(2), cents)
        if running is not None:
            await asyncio.sleep(CHANCE.random() * 0.01)
            world.running.remove(running)
            await world.settle(running, CHANCE.choice((None, 1, 5, 20)))


async def _disturb(world: BudgetWorld, sql: asyncpg.Connection) -> None:
    while True:
        for process in world.processes:
            process.stock.tend()
            await process.budgets.renew(datetime.now(UTC))
            await process.budgets.expire(datetime.now(UTC))
        await sql.execute(_CUT)
        await asyncio.sleep(0.1)


async def _watch(sql: asyncpg.Connection) -> None:
    while True:
        seen = await sql.fetchrow(_STANDING)
        assert seen["settled"] + seen["held"] <= seen["amount"]
        assert seen["running"] <= seen["held"]
        await asyncio.sleep(0)


async def test_allotments_cover_all_that_runs_and_are_never_too_much(
    world: BudgetWorld, sql: asyncpg.Connection, database_url: str
) -> None:
    terms = BudgetTerms(amount=3000 * CENT, period=BudgetPeriod.MONTH)
    await world.set(world.subjects[0], terms)
    watching = asyncio.create_task(_watch(sql))
    other = await asyncpg.connect(database_url)
    disturbing = asyncio.create_task(_disturb(world, other))

    await asyncio.gather(*(_call_on(world) for _ in range(CALLERS)))

    assert not watching.done()
    assert not disturbing.done()
    for task in (watching, disturbing):
        task.cancel()
    await asyncio.gather(watching, disturbing, return_exceptions=True)
    await other.close()
    await world.come_to_rest()
    await world.check()
    assert await sql.fetchval(_ALLOTTED) > 0
    assert await sql.fetchval(_ALLOTMENTS_LEFT) == 0
