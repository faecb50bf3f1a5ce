"""Whatever calls do, whenever processes die and time goes on: what is settled is the sum of the
ledger, what is held is what runs, both together fit, and no hold outlives its expiry."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.teams import PostgresTeams
from application.inference.allotments.caller import AllotmentRules
from domain.identity.allowance import BudgetPeriod, BudgetTerms
from domain.shared.ids import TeamId
from tests.builders import TEAM_ID, a_team
from tests.fakes.clock import FrozenClock
from tests.fixtures.budget_stores import BudgetStore, MemoryBudgetStore, PostgresBudgetStore
from tests.fixtures.budget_world import CENT, BudgetWorld

Step = tuple[Any, ...]

PROCESSES = 2
DAY_S = 86_400
AT_FIRST = BudgetTerms(amount=200 * CENT, period=BudgetPeriod.MONTH)
# Of which a sixteenth has room for many calls, so that most of them come out of allotments.
RICH_AT_FIRST = BudgetTerms(amount=3000 * CENT, period=BudgetPeriod.MONTH)
GENEROUS = AllotmentRules(
    busy_calls=1, calls=12, least_calls=1, pause_s=0.0, pause_after_nothing_s=0.0
)


async def _open(world: BudgetWorld, process: int, key: int, cents: int) -> None:
    await world.open(process, key, cents)


async def _open_many(world: BudgetWorld, process: int, key: int, cents: int) -> None:
    for _ in range(5):
        await world.open(process, key, cents)
        await world.processes[process].idle()


async def _settle_many(world: BudgetWorld, number: int, cents: int | None) -> None:
    for _ in range(4):
        await _settle(world, number, cents)


async def _settle(world: BudgetWorld, number: int, cents: int | None) -> None:
    if world.running:
        world.running.rotate(number)
        await world.settle(world.running.popleft(), cents)


async def _hold_and_die(world: BudgetWorld, process: int, key: int, cents: int) -> None:
    await world.open(process, key, cents, with_row=False)
    await world.crash(process)


async def _hold_and_give_up(world: BudgetWorld, process: int, key: int, cents: int) -> None:
    running = await world.open(process, key, cents, with_row=False)
    if running is not None:
        running.process.budgets.release(running.hold)


async def _crash(world: BudgetWorld, process: int) -> None:
    await world.crash(process)


async def _wait(world: BudgetWorld, seconds: int) -> None:
    world.clock.advance(seconds)


async def _expire(world: BudgetWorld) -> None:
    await world.expire()


async def _wait_and_expire(world: BudgetWorld, seconds: int) -> None:
    world.clock.advance(seconds)
    await world.expire()


async def _renew(world: BudgetWorld, process: int) -> None:
    await world.processes[process].budgets.renew(world.clock.now())


async def _tend(world: BudgetWorld, process: int) -> None:
    world.processes[process].stock.tend()


async def _interrupt(world: BudgetWorld) -> None:
    await world.store.orphans.interrupt(world.clock.now())


async def _set(world: BudgetWorld, number: int, terms: BudgetTerms | None) -> None:
    await world.set(world.subjects[number], terms)


a_process = st.integers(0, PROCESSES - 1)
a_key = st.integers(0, 1)
some_cents = st.integers(0, 60)
few_cents = st.integers(1, 9)
some_terms = st.builds(
    lambda cents, period, hard: BudgetTerms(amount=cents * CENT, period=period, hard=hard),
    st.integers(0, 150) | st.integers(0, 4000),
    st.sampled_from(list(BudgetPeriod)),
    st.booleans(),
)
a_step = st.one_of(
    st.tuples(st.just(_open), a_process, a_key, some_cents),
    st.tuples(st.just(_open), a_process, a_key, some_cents),
    st.tuples(st.just(_open), a_process, a_key, some_cents),
    st.tuples(st.just(_open_many), a_process, a_key, few_cents),
    st.tuples(st.just(_open_many), a_process, a_key, few_cents),
    st.tuples(st.just(_settle_many), st.integers(0, 9), st.none() | few_cents),
    st.tuples(st.just(_settle), st.integers(0, 9), st.none() | some_cents),
    st.tuples(st.just(_settle), st.integers(0, 9), st.none() | some_cents),
    st.tuples(st.just(_hold_and_die), a_process, a_key, some_cents),
    st.tuples(st.just(_hold_and_give_up), a_process, a_key, some_cents),
    st.tuples(st.just(_crash), a_process),
    st.tuples(st.just(_wait), st.sampled_from((20, 61, 61, DAY_S, -3600))),
    st.tuples(st.just(_wait_and_expire), st.just(61)),
    st.tuples(st.just(_expire)),
    st.tuples(st.just(_renew), a_process),
    st.tuples(st.just(_tend), a_process),
    st.tuples(st.just(_interrupt)),
    st.tuples(st.just(_set), st.integers(0, 3), st.none() | some_terms),
    st.tuples(st.just(_set), st.integers(0, 3), some_terms),
)
some_steps = st.lists(a_step, min_size=1, max_size=25)
some_terms_at_first = st.sampled_from((AT_FIRST, RICH_AT_FIRST))


async def live(
    store: BudgetStore,
    clock: FrozenClock,
    team_id: TeamId,
    at_first: BudgetTerms,
    steps: Sequence[Step],
) -> None:
    processes = [await store.process() for _ in range(PROCESSES)]
    world = BudgetWorld(store=store, clock=clock, team_id=team_id, processes=processes)
    try:
        await world.set(world.subjects[0], at_first)
        for step in steps:
            act, *arguments = step
            await act(world, *arguments)
            for process in world.processes:
                await process.idle()
            await world.check()
        await world.come_to_rest()
        await world.check()
        if not any(step[0] in _DEATHS for step in steps):
            assert await store.expiries(team_id) == []
        # The clock may have been set back since the last hold.
        for _ in range(2):
            clock.advance(1000)
            await world.expire()
        await world.check()
        for subject in world.terms:
            found = await store.reader.find(team_id, subject, clock.now())
            assert found is not None
            assert found.held == 0
    finally:
        for process in world.processes:
            await process.die()


_DEATHS = (_crash, _hold_and_die)


@settings(max_examples=200, deadline=None)
@given(at_first=some_terms_at_first, steps=some_steps)
def test_budgets_keep_their_promises_in_memory(at_first: BudgetTerms, steps: list[Step]) -> None:
    clock = FrozenClock()
    asyncio.run(live(MemoryBudgetStore(clock, GENEROUS), clock, TEAM_ID, at_first, steps))


async def test_budgets_keep_their_promises_in_postgres(partitioned_url: str) -> None:
    # Hypothesis calls functions that are not coroutines: they need a loop of their own.
    await asyncio.to_thread(_live_in_postgres, partitioned_url)


def _live_in_postgres(url: str) -> None:
    with asyncio.Runner() as runner:
        engine = make_engine(url, pool_size=2)
        clocks = count()

        @settings(max_examples=25, deadline=None)
        @given(at_first=some_terms_at_first, steps=some_steps)
        def examples(at_first: BudgetTerms, steps: list[Step]) -> None:
            runner.run(_live_in_a_team_of_its_own(url, engine, next(clocks), at_first, steps))

        examples()
        runner.run(engine.dispose())


async def _live_in_a_team_of_its_own(
    url: str, engine: AsyncEngine, number: int, at_first: BudgetTerms, steps: Sequence[Step]
) -> None:
    team_id = TeamId(UUID(int=1_000_000 + number))
    clock = FrozenClock()
    async with make_sessions(engine)() as session:
        await PostgresTeams(session).add(a_team(id=team_id))
        await session.commit()
    store = PostgresBudgetStore(url, engine, clock, GENEROUS)
    await live(store, clock, team_id, at_first, steps)
