"""What the accounts of budgets promise, besides what they keep to whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.identity.allowance import BudgetPeriod, BudgetTerms
from domain.inference.call import CallStatus
from domain.shared.errors import BudgetExhaustedError
from tests.builders import TEAM_ID
from tests.fakes.clock import FrozenClock
from tests.fixtures.budget_stores import (
    TTL_S,
    BudgetStore,
    MemoryBudgetStore,
    PostgresBudgetStore,
    a_postgres_budget_store,
)
from tests.fixtures.budget_world import CENT, BudgetWorld

NOTHING = Decimal(0)


def terms(cents: int, period: BudgetPeriod = BudgetPeriod.MONTH, **fields: Any) -> BudgetTerms:
    return BudgetTerms(amount=cents * CENT, period=period, **fields)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def postgres_budgets(
    partitioned_url: str, clock: FrozenClock
) -> AsyncIterator[PostgresBudgetStore]:
    async with a_postgres_budget_store(partitioned_url, clock) as store:
        yield store


@pytest.fixture
def memory_budgets(clock: FrozenClock) -> MemoryBudgetStore:
    return MemoryBudgetStore(clock)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> BudgetStore:
    found: BudgetStore = request.getfixturevalue(f"{request.param}_budgets")
    return found


@pytest.fixture
async def world(store: BudgetStore, clock: FrozenClock) -> BudgetWorld:
    """Of two processes."""
    processes = [await store.process() for _ in range(2)]
    return BudgetWorld(store=store, clock=clock, team_id=TEAM_ID, processes=processes)


async def account(world: BudgetWorld, number: int = 0) -> tuple[Decimal, Decimal]:
    """What is settled and held of the budget of that subject."""
    subject = world.subjects[number]
    found = await world.store.reader.find(TEAM_ID, subject, world.clock.now())
    assert found is not None
    return found.settled, found.held


async def test_what_has_no_budget_has_no_account(world: BudgetWorld) -> None:
    found = await world.store.reader.find(TEAM_ID, world.subjects[0], world.clock.now())

    assert found is None


async def test_all_budgets_of_a_call_hold_it_or_none(world: BudgetWorld) -> None:
    team, _, key, _ = world.subjects
    await world.set(team, terms(100))
    await world.set(key, terms(10))

    refused = await world.open(0, 0, 11)
    held = await world.open(0, 0, 10)

    assert refused is None
    assert held is not None
    assert await account(world, 0) == (NOTHING, 10 * CENT)
    assert await account(world, 2) == (NOTHING, 10 * CENT)


async def test_a_refusal_names_the_budget_with_the_least_room(world: BudgetWorld) -> None:
    team, _, key, _ = world.subjects
    await world.set(team, terms(5))
    await world.set(key, terms(3))
    running = await world.open(0, 1, 1)
    assert running is not None

    with pytest.raises(BudgetExhaustedError, match="this API key is"):
        await world.processes[0].budgets.hold(_a_hold(world, 7))


async def test_the_same_hold_counts_once(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(100))
    running = await world.open(0, 0, 10)
    assert running is not None

    await world.processes[0].budgets.renew(world.clock.now())
    await world.processes[0].budgets.renew(world.clock.now())

    assert await account(world) == (NOTHING, 10 * CENT)


async def test_many_at_once_on_two_processes_fit_exactly(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(50))
    holds = [_a_hold(world, 1) for _ in range(120)]

    taken = await asyncio.gather(
        *(world.processes[n % 2].budgets.hold(hold) for n, hold in enumerate(holds)),
        return_exceptions=True,
    )

    refused = [one for one in taken if one is not None]
    assert len(refused) == 70
    assert all(isinstance(one, BudgetExhaustedError) for one in refused)
    assert await account(world) == (NOTHING, 50 * CENT)


async def test_a_hold_that_nobody_waits_for_is_taken_all_the_same(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(1, hard=False))

    world.processes[0].budgets.note(_a_hold(world, 30))
    await world.processes[0].idle()

    assert await account(world) == (NOTHING, 30 * CENT)


async def test_what_was_noted_and_released_at_once_is_not_held(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(1, hard=False))
    hold = _a_hold(world, 30)

    world.processes[0].budgets.note(hold)
    world.processes[0].budgets.release(hold)
    await world.processes[0].idle()

    assert await account(world) == (NOTHING, NOTHING)


async def test_a_cost_belongs_to_the_period_in_which_its_call_was_made(world: BudgetWorld) -> None:
    world.clock.advance(_until(datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC), world))
    await world.set(world.subjects[0], terms(50, BudgetPeriod.DAY))
    late = await world.open(0, 0, 40)
    assert late is not None
    world.clock.advance(2)

    new = await world.open(0, 0, 45)
    await world.settle(late, 30)

    assert new is not None
    assert await account(world) == (NOTHING, 45 * CENT)


async def test_a_node_whose_clock_is_behind_charges_the_period_that_it_is_in(
    world: BudgetWorld,
) -> None:
    await world.set(world.subjects[0], terms(50, BudgetPeriod.DAY))
    world.clock.advance(_until(datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC), world))
    today = await world.open(0, 0, 50)

    yesterday = _a_hold(world, 50, at=world.clock.now() - timedelta(seconds=2))
    await world.processes[1].budgets.hold(yesterday)

    assert today is not None
    assert await account(world) == (NOTHING, 50 * CENT)


async def test_a_budget_that_is_set_in_the_middle_begins_with_the_ledgers_sum(
    world: BudgetWorld,
) -> None:
    before = await world.open(0, 0, 20)
    during = await world.open(1, 0, 20)
    assert before is not None
    assert during is not None
    await world.settle(before, 15)

    await world.set(world.subjects[2], terms(100))
    at_once = await account(world, 2)
    await world.settle(during, 10)

    assert at_once == (15 * CENT, 20 * CENT)
    assert await account(world, 2) == (25 * CENT, NOTHING)


async def test_a_call_that_nothing_was_held_for_is_charged_too(world: BudgetWorld) -> None:
    running = await world.open(0, 0, 20)
    assert running is not None
    running.process.budgets.release(running.hold)
    await world.processes[0].idle()
    await world.set(world.subjects[1], terms(100))

    await world.settle(running, 12)

    assert await account(world, 1) == (12 * CENT, NOTHING)


async def test_thresholds_are_told_of_once(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(100, hard=False))
    await world.set(world.subjects[1], terms(100))
    for cents in (40, 15, 1, 30):
        running = await world.open(0, 0, cents)
        assert running is not None
        await world.settle(running, cents)

    told = await world.store.told(TEAM_ID)

    assert told == [("team", 50), ("team", 80), ("user", 50), ("user", 80)]


async def test_other_terms_forget_what_was_told(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(10, hard=False))
    for amount, cents in ((10, 9), (100, 50)):
        await world.set(world.subjects[0], terms(amount, hard=False))
        running = await world.open(0, 0, cents)
        assert running is not None
        await world.settle(running, cents)

    told = await world.store.told(TEAM_ID)

    assert told == [("team", 50), ("team", 50), ("team", 80), ("team", 90)]


async def test_a_dead_process_leaves_its_calls_with_what_was_held(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(100))
    running = await world.open(1, 0, 30)
    assert running is not None
    await world.crash(1)

    await world.store.orphans.interrupt(world.clock.now())

    assert await account(world) == (30 * CENT, NOTHING)


async def test_a_late_outcome_corrects_what_an_expired_hold_was_charged(
    world: BudgetWorld,
) -> None:
    await world.set(world.subjects[0], terms(100))
    running = await world.open(0, 0, 30)
    assert running is not None
    world.clock.advance(TTL_S)
    await world.processes[1].budgets.expire(world.clock.now())
    charged = await account(world)

    await world.settle(running, 4)

    assert charged == (30 * CENT, NOTHING)
    assert await account(world) == (4 * CENT, NOTHING)
    assert running.call.status is CallStatus.SUCCEEDED


async def test_a_renewed_hold_does_not_expire(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(100))
    await world.open(0, 0, 30)
    world.clock.advance(TTL_S - 1)

    renewed = await world.processes[0].budgets.renew(world.clock.now())
    world.clock.advance(TTL_S - 1)
    expired = await world.processes[1].budgets.expire(world.clock.now())

    assert (renewed, expired) == (1, 0)
    assert await account(world) == (NOTHING, 30 * CENT)


async def test_what_was_released_is_not_renewed(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(100))
    running = await world.open(0, 0, 30, with_row=False)
    assert running is not None
    running.process.budgets.release(running.hold)
    await running.process.idle()

    renewed = await running.process.budgets.renew(world.clock.now())
    await running.process.idle()

    assert renewed == 0
    assert await account(world) == (NOTHING, NOTHING)


@pytest.mark.parametrize("has_row", [True, False])
async def test_what_is_released_while_it_is_renewed_is_gone(
    world: BudgetWorld, has_row: bool
) -> None:
    await world.set(world.subjects[0], terms(100))
    opened = [await world.open(0, 0, 30, with_row=has_row) for _ in range(2)]
    stays, ends = sorted(filter(None, opened), key=lambda one: one.call.id)

    async with world.store.renewing(ends.process, world.clock.now()):
        ends.process.budgets.release(ends.hold)
        await ends.process.idle()
    await ends.process.idle()

    assert await account(world) == (NOTHING, stays.hold.amount)


async def test_what_is_charged_while_it_is_renewed_is_held_no_more(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(100))
    opened = [await world.open(0, 0, 30) for _ in range(2)]
    stays, ends = sorted(filter(None, opened), key=lambda one: one.call.id)

    async with world.store.renewing(ends.process, world.clock.now()):
        await world.settle(ends, 4)
    await ends.process.idle()

    assert await account(world) == (4 * CENT, stays.hold.amount)


async def test_a_clock_that_was_set_back_keeps_no_hold_of_the_dead(world: BudgetWorld) -> None:
    await world.set(world.subjects[0], terms(100))
    await world.open(1, 0, 30, with_row=False)
    await world.open(0, 0, 20)
    await world.crash(1)
    world.clock.advance(-3600)

    for _ in range(2):
        await world.processes[0].budgets.renew(world.clock.now())
        await world.processes[0].budgets.expire(world.clock.now())
        world.clock.advance(TTL_S - 1)
    await world.processes[0].budgets.renew(world.clock.now())
    await world.processes[0].budgets.expire(world.clock.now())

    assert await account(world) == (NOTHING, 20 * CENT)


def _a_hold(world: BudgetWorld, cents: int, *, at: datetime | None = None) -> Any:
    return world.a_call(0, cents, at=at)[1]


def _until(moment: datetime, world: BudgetWorld) -> float:
    return (moment - world.clock.now()).total_seconds()
