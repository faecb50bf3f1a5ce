"""What is set aside for a busy caller before its calls come, and what becomes of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from application.inference.allotments.caller import AllotmentRules
from domain.identity.allowance import BudgetPeriod, BudgetTerms
from domain.inference.call import CallStatus
from tests.builders import TEAM_ID
from tests.fakes.clock import FrozenClock
from tests.fixtures.budget_stores import (
    TTL_S,
    BudgetStore,
    MemoryBudgetStore,
    PostgresBudgetStore,
    a_postgres_budget_store,
)
from tests.fixtures.budget_world import CENT, BudgetWorld, RunningCall

NOTHING = Decimal(0)
# The second call that has to wait asks for what ten calls need.
RULES = AllotmentRules(
    busy_calls=2, calls=10, least_calls=2, pause_s=0.0, pause_after_nothing_s=1.0
)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def postgres_store(
    partitioned_url: str, clock: FrozenClock
) -> AsyncIterator[PostgresBudgetStore]:
    async with a_postgres_budget_store(partitioned_url, clock, RULES) as store:
        yield store


@pytest.fixture
def memory_store(clock: FrozenClock) -> MemoryBudgetStore:
    return MemoryBudgetStore(clock, RULES)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> BudgetStore:
    found: BudgetStore = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture
async def world(store: BudgetStore, clock: FrozenClock) -> BudgetWorld:
    """Of two processes, and a team with a hard budget of 400 dollars."""
    processes = [await store.process() for _ in range(2)]
    world = BudgetWorld(store=store, clock=clock, team_id=TEAM_ID, processes=processes)
    await world.set(world.subjects[0], terms(40_000))
    return world


def terms(
    cents: int, period: BudgetPeriod = BudgetPeriod.MONTH, *, hard: bool = True
) -> BudgetTerms:
    return BudgetTerms(amount=cents * CENT, period=period, hard=hard)


async def a_call(world: BudgetWorld, cents: int, process: int = 0) -> RunningCall:
    running = await world.open(process, 0, cents)
    assert running is not None
    await world.processes[process].idle()
    return running


async def a_busy_caller(world: BudgetWorld, cents: int = 10) -> RunningCall:
    """Two calls that had to wait, and the first of an allotment."""
    for _ in range(2):
        await world.settle(await a_call(world, cents), None)
    await world.processes[0].idle()
    running = await a_call(world, cents)
    assert running.call.allotment_id is not None
    return running


async def account(world: BudgetWorld) -> tuple[Decimal, Decimal]:
    found = await world.store.reader.find(TEAM_ID, world.subjects[0], world.clock.now())
    assert found is not None
    return found.settled, found.held


async def test_who_makes_few_calls_has_a_hold_for_each(world: BudgetWorld) -> None:
    running = await a_call(world, 10)
    world.clock.advance(2)
    other = await a_call(world, 10)

    assert running.call.allotment_id is None
    assert other.call.allotment_id is None
    assert await account(world) == (NOTHING, 20 * CENT)


async def test_a_busy_caller_gets_an_allotment_that_its_holds_come_out_of(
    world: BudgetWorld,
) -> None:
    await a_busy_caller(world)
    others = [await a_call(world, 10) for _ in range(5)]

    assert all(one.call.held == 10 * CENT for one in others)
    assert await account(world) == (NOTHING, 100 * CENT)


async def test_a_cost_leaves_the_allotment_as_it_is_charged(world: BudgetWorld) -> None:
    running = await a_busy_caller(world)

    await world.settle(running, 4)

    assert await account(world) == (4 * CENT, 96 * CENT)


async def test_what_a_call_did_not_cost_is_there_for_the_next(world: BudgetWorld) -> None:
    await world.settle(await a_busy_caller(world), 1)
    used = set()
    for _ in range(30):
        running = await a_call(world, 10)
        used.add(running.call.allotment_id)
        await world.settle(running, 1)

    assert len(used) == 1
    assert await account(world) == (31 * CENT, 69 * CENT)


async def test_what_a_call_leaves_is_held_until_its_outcome_is_on_record(
    world: BudgetWorld,
) -> None:
    """Should its process die, it costs what was held for it."""
    running = await a_busy_caller(world)
    for _ in range(9):
        await a_call(world, 10)
    running.call.settle(CallStatus.FAILED, at=world.clock.now(), latency_ms=1.0)
    running.process.budgets.settle(running.hold, running.call)

    other = await a_call(world, 10)

    assert other.call.allotment_id != running.call.allotment_id


async def test_an_allotment_is_a_sixteenth_of_the_room_at_most(world: BudgetWorld) -> None:
    await a_busy_caller(world, 1000)

    settled, held = await account(world)
    # The calls that had to wait may still have been held for when it was asked for.
    assert settled == NOTHING
    assert (40_000 - 2 * 1000) * CENT / 16 <= held <= 40_000 * CENT / 16


async def test_there_is_none_close_to_the_end_of_a_budget(world: BudgetWorld) -> None:
    await world.set(world.subjects[1], terms(300))

    calls = [await a_call(world, 10) for _ in range(30)]
    refused = await world.open(0, 0, 10)

    assert {one.call.allotment_id for one in calls} == {None}
    assert refused is None
    assert await account(world) == (NOTHING, 300 * CENT)


async def test_what_a_process_does_not_need_stands_in_nobodys_way(world: BudgetWorld) -> None:
    running = await a_busy_caller(world)
    await world.settle(running, None)

    rest = await world.open(0, 1, 40_000)

    assert rest is not None
    assert await account(world) == (NOTHING, 40_000 * CENT)


async def test_an_allotment_that_nobody_uses_is_given_back(world: BudgetWorld) -> None:
    running = await a_busy_caller(world)
    stock = world.processes[0].stock

    stock.tend()
    await world.processes[0].idle()
    at_first = await account(world)
    stock.tend()
    await world.processes[0].idle()
    unused = await account(world)
    await world.settle(running, 4)
    await world.processes[0].idle()

    assert at_first == (NOTHING, 100 * CENT)
    assert unused == (NOTHING, 10 * CENT)
    assert await account(world) == (4 * CENT, NOTHING)
    assert await world.store.expiries(TEAM_ID) == []


@pytest.mark.parametrize("change", ["amount", "kind"])
async def test_other_terms_end_an_allotment(world: BudgetWorld, change: str) -> None:
    await world.settle(await a_busy_caller(world), 4)
    await world.set(world.subjects[0], terms(20) if change == "amount" else terms(20, hard=False))

    running = await a_call(world, 10)
    refused = await world.open(0, 0, 10)

    assert running.call.allotment_id is None
    assert (refused is None) is (change == "amount")


async def test_an_allotment_ends_with_its_day(world: BudgetWorld) -> None:
    end = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
    world.clock.advance((end - world.clock.now()).total_seconds())
    await world.set(world.subjects[0], terms(40_000, BudgetPeriod.DAY))
    late = await a_busy_caller(world)
    world.clock.advance(2)

    new = await a_call(world, 10)
    await world.settle(late, 7)

    assert new.call.allotment_id is None
    assert await account(world) == (NOTHING, 10 * CENT)


async def test_a_process_that_stood_still_uses_no_allotment_that_may_have_expired(
    world: BudgetWorld,
) -> None:
    await a_busy_caller(world)
    world.clock.advance(TTL_S / 2)

    running = await a_call(world, 10)

    assert running.call.allotment_id is None


async def test_a_call_keeps_its_hold_as_long_as_its_allotment_is_renewed(
    world: BudgetWorld,
) -> None:
    running = await a_busy_caller(world)
    for _ in range(3):
        world.clock.advance(TTL_S - 1)
        world.processes[0].stock.tend()
        await world.processes[0].idle()
        await world.processes[0].budgets.renew(world.clock.now())

    await world.processes[1].budgets.expire(world.clock.now())

    assert await account(world) == (NOTHING, 10 * CENT)
    await world.settle(running, 4)
    await world.processes[0].idle()
    assert await account(world) == (4 * CENT, NOTHING)


async def test_calls_of_an_allotment_that_expires_cost_what_was_held_until_they_say_better(
    world: BudgetWorld,
) -> None:
    running = await a_busy_caller(world)
    world.clock.advance(TTL_S)
    await world.processes[1].budgets.expire(world.clock.now())
    expired = await account(world)

    await world.processes[0].budgets.renew(world.clock.now())
    await world.settle(running, 4)

    assert expired == (10 * CENT, NOTHING)
    assert await account(world) == (4 * CENT, NOTHING)
    assert running.call.status is CallStatus.SUCCEEDED
    assert await world.store.expiries(TEAM_ID) == []


async def test_calls_of_a_dead_process_cost_what_was_held_and_its_allotment_expires(
    world: BudgetWorld,
) -> None:
    await a_busy_caller(world)
    await world.crash(0)

    await world.store.orphans.interrupt(world.clock.now())
    interrupted = await account(world)
    world.clock.advance(TTL_S)
    await world.processes[1].budgets.expire(world.clock.now())

    assert interrupted == (10 * CENT, 90 * CENT)
    assert await account(world) == (10 * CENT, NOTHING)


async def test_a_process_that_was_taken_for_dead_gets_back_what_its_calls_did_not_cost(
    world: BudgetWorld,
) -> None:
    running = await a_busy_caller(world)
    await world.processes[0].seem_dead()
    await world.store.orphans.interrupt(world.clock.now())
    interrupted = await account(world)

    await world.settle(running, 4)

    assert interrupted == (10 * CENT, 90 * CENT)
    assert await account(world) == (4 * CENT, 96 * CENT)


async def test_a_call_that_costs_more_than_was_held_is_charged_in_full(world: BudgetWorld) -> None:
    running = await a_busy_caller(world)
    running.hold = world.a_call(0, 150)[1]

    await world.settle(running, 150)

    assert await account(world) == (150 * CENT, NOTHING)


async def test_a_call_that_was_never_made_gives_its_hold_back(world: BudgetWorld) -> None:
    await a_busy_caller(world)
    given_up = await world.open(0, 0, 10, with_row=False)
    assert given_up is not None

    budgets = given_up.process.budgets
    budgets.release(given_up.hold)
    # None of them waits, so that no further allotment comes meanwhile.
    allotments = {await budgets.hold(world.a_call(0, 10)[1]) for _ in range(9)}

    assert allotments == {given_up.call.allotment_id}


async def test_a_process_that_ends_gives_back_what_no_call_needs(world: BudgetWorld) -> None:
    await a_busy_caller(world)

    await world.processes[0].stock.stop()

    assert await account(world) == (NOTHING, 10 * CENT)


async def test_a_soft_budget_allots_too_and_nobody_waits(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(1, hard=False))
    holds = [world.a_call(0, 10)[1] for _ in range(3)]
    budgets = world.processes[0].budgets

    first = [budgets.note(hold) for hold in holds[:2]]
    await world.processes[0].idle()
    third = budgets.note(holds[2])

    assert first == [None, None]
    assert third is not None
    assert await account(world) == (NOTHING, 120 * CENT)
