"""Accounts that are used by several processes, set and changed under load, and lose connections."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.allowances import PostgresAllowances
from adapters.postgres.identity.teams import PostgresTeams
from adapters.system.clock import SystemClock
from domain.identity.allowance import BudgetPeriod, BudgetTerms
from domain.shared.errors import BudgetExhaustedError, UnavailableError
from tests.builders import TEAM_ID, a_team
from tests.fakes.clock import FrozenClock
from tests.fixtures.budget_stores import PostgresBudgetProcess, PostgresBudgetStore
from tests.fixtures.budget_world import CENT, BudgetWorld
from tests.fixtures.patience import until_told

CALLERS = 12
CALLS = 20
CHANCE = random.Random(7)  # noqa: S311 - a repeatable load


@dataclass
class Load:
    world: BudgetWorld
    connection: asyncpg.Connection
    engine: AsyncEngine

    async def agree(self) -> None:
        """Every account is the sum of the ledger and of the holds."""
        for process in self.world.processes:
            await process.ledger.flush(10)
            await process.idle()
        await self.world.check()

    async def call_on(self) -> None:
        for _ in range(CALLS):
            running = await self.world.open(CHANCE.randrange(2), CHANCE.randrange(2), 10)
            if running is not None:
                await self.world.settle(running, CHANCE.choice((None, 1, 5, 10)))

    async def change_budgets(self) -> None:
        world = self.world
        for number in range(30):
            subject = world.subjects[number % 4]
            period = CHANCE.choice(list(BudgetPeriod))
            terms = BudgetTerms(amount=500 * CENT, period=period, hard=False)
            await world.store.set_budget(TEAM_ID, subject, terms, world.clock.now())
            world.terms[subject] = terms
            world.bounds[subject] = (None, Decimal(0))
            await asyncio.sleep(0.01)

    async def keep_holds(self) -> None:
        for _ in range(30):
            for process in self.world.processes:
                await process.budgets.renew(self.world.clock.now())
                await process.budgets.expire(self.world.clock.now())
            await asyncio.sleep(0.01)

    async def deadlocks(self) -> int:
        count: int = await self.connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return count


@pytest.fixture
async def load(partitioned_url: str) -> AsyncIterator[Load]:
    clock = FrozenClock(datetime.now(UTC))
    engine = make_engine(partitioned_url, pool_size=4)
    connection = await asyncpg.connect(partitioned_url)
    async with make_sessions(engine)() as session:
        await PostgresTeams(session).add(a_team())
        await session.commit()
    store = PostgresBudgetStore(partitioned_url, engine, SystemClock())
    processes = [await store.process() for _ in range(2)]
    world = BudgetWorld(store=store, clock=clock, team_id=TEAM_ID, processes=processes)
    yield Load(world, connection, engine)
    await store.stop()
    await connection.close()
    await engine.dispose()


@pytest.fixture
async def partitioned_url(database_url: str) -> str:
    return database_url


async def test_budgets_that_change_under_load_stay_exact(load: Load) -> None:
    before = await load.deadlocks()

    callers = (load.call_on() for _ in range(CALLERS))
    await asyncio.gather(*callers, load.change_budgets(), load.keep_holds())

    await load.agree()
    assert await load.deadlocks() == before


async def test_holds_survive_the_loss_of_their_connection(load: Load) -> None:
    world = load.world
    await world.set(world.subjects[0], BudgetTerms(amount=50 * CENT, period=BudgetPeriod.TOTAL))
    holds = [world.a_call(0, 1)[1] for _ in range(100)]

    async def cut() -> None:
        for _ in range(10):
            await load.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'stoa budgets' AND datname = current_database()"
            )
            await asyncio.sleep(0.02)

    async def hold(number: int) -> bool:
        await asyncio.sleep(number * 0.002)
        try:
            await world.processes[number % 2].budgets.hold(holds[number])
        except BudgetExhaustedError:
            return False
        return True

    taken, _ = await asyncio.gather(asyncio.gather(*map(hold, range(len(holds)))), cut())

    assert sum(taken) == 50
    await load.agree()


async def test_a_database_that_is_away_refuses_holds_in_time(load: Load) -> None:
    process = PostgresBudgetProcess(
        "postgresql://nobody@127.0.0.1:1/nowhere", load.engine, SystemClock(), timeout_s=0.3
    )

    with pytest.raises(UnavailableError):
        await process.budgets.hold(load.world.a_call(0, 1)[1])

    await process.stop_budgets()


async def test_holds_that_a_crash_of_the_database_lost_come_back(load: Load) -> None:
    world = load.world
    await world.set(world.subjects[0], BudgetTerms(amount=50 * CENT, period=BudgetPeriod.TOTAL))
    running = await world.open(0, 0, 20)
    closed = await world.open(0, 0, 5)
    assert running is not None
    assert closed is not None
    await load.connection.execute("DELETE FROM budget_holds")
    await load.connection.execute("UPDATE budget_periods SET held = 0")

    await world.processes[0].budgets.renew(world.clock.now() + timedelta(seconds=1))
    await world.processes[0].idle()
    found = await world.store.reader.find(TEAM_ID, world.subjects[0], world.clock.now())

    assert found is not None
    assert found.held == 25 * CENT
    await load.agree()
    await world.settle(running, 3)
    await world.settle(closed, 2)
    await load.agree()


async def test_what_ends_while_it_comes_back_is_gone(load: Load) -> None:
    world = load.world
    await world.set(world.subjects[0], BudgetTerms(amount=50 * CENT, period=BudgetPeriod.TOTAL))
    running = await world.open(0, 0, 20, with_row=False)
    assert running is not None
    await load.connection.execute("DELETE FROM budget_holds")
    await load.connection.execute("UPDATE budget_periods SET held = 0")
    waiting = "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"

    async def comes_back() -> bool:
        return bool(await load.connection.fetchval(waiting))

    async with load.connection.transaction():
        await load.connection.execute("SELECT budget_lock($1, true)", TEAM_ID)
        await running.process.budgets.renew(world.clock.now())
        await until_told(comes_back)
        running.process.budgets.release(running.hold)
    await running.process.idle()

    assert await world.store.expiries(TEAM_ID) == []
    await load.agree()


async def test_an_account_is_found_by_its_key_and_never_by_looking_at_all(load: Load) -> None:
    """A team may have thousands of keys with budgets of their own."""
    world = load.world
    await load.connection.execute(
        "INSERT INTO budgets SELECT $1, 'key', gen_random_uuid(), 1, 'total', true"
        " FROM generate_series(1, 5000)",
        TEAM_ID,
    )
    await load.connection.execute("ANALYZE budgets")
    await world.set(world.subjects[2], BudgetTerms(amount=500 * CENT, period=BudgetPeriod.TOTAL))
    before = await _rows_read(load)

    for _ in range(20):
        running = await world.open(0, 0, 1)
        assert running is not None
        await world.settle(running, 1)

    await asyncio.sleep(1.1)
    assert await _rows_read(load) - before < 5000


async def _rows_read(load: Load) -> int:
    for process in load.world.processes:
        await process.idle()
    count: int = await load.connection.fetchval(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
        " WHERE relname = 'budgets'"
    )
    return count


async def test_what_is_charged_while_a_budget_is_being_set_is_not_missed(load: Load) -> None:
    world = load.world
    running = await world.open(0, 0, 20)
    assert running is not None
    team = world.subjects[0]
    terms = BudgetTerms(amount=500 * CENT, period=BudgetPeriod.MONTH)

    async with make_sessions(load.engine)() as session:
        # The ledger has been summed up, and nobody sees the budget yet.
        await PostgresAllowances(session).set_budget(TEAM_ID, team, terms, at=world.clock.now())
        settling = asyncio.create_task(world.settle(running, 12))
        await asyncio.sleep(0.2)
        await session.commit()
    await settling

    found = await world.store.reader.find(TEAM_ID, team, world.clock.now())
    assert found is not None
    assert (found.settled, found.held) == (12 * CENT, Decimal(0))
