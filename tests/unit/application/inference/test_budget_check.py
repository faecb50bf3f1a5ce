from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from application.inference.budget_check import BudgetCheck
from application.inference.keep_holds import KeepHolds
from domain.identity.allowance import (
    Allowance,
    BudgetPeriod,
    BudgetTerms,
    Limits,
    Subject,
    SubjectKind,
)
from domain.inference.call import CallStatus
from domain.shared.errors import BudgetExhaustedError, UnavailableError
from tests.builders import KEY_ID, TEAM_ID, an_actor
from tests.fakes.budgets import BudgetBooks, InMemoryBudgets
from tests.fakes.clock import START, FrozenClock
from tests.fakes.gate import held_at
from tests.fakes.inference import LedgerRows
from tests.unit.application.inference.scene import BODY, Scene, cancelled, drained

KEY = Subject(SubjectKind.KEY, KEY_ID)
PLENTY = Decimal(100)
NOTHING = Decimal(0)
# Of a length whose worst cost is a whole number of millionths.
EVEN = BODY + b" "


class BudgetScene(Scene):
    """The data plane, with a budget on the key."""

    def __init__(self, amount: Decimal = PLENTY, *, hard: bool = True) -> None:
        terms = BudgetTerms(amount=amount, period=BudgetPeriod.MONTH, hard=hard)
        self.actor = an_actor(allowances=(Allowance(subject=KEY, budget=terms),))
        self.books = BudgetBooks(LedgerRows())
        self.budgets = InMemoryBudgets(self.books)
        super().__init__(BudgetCheck(budgets=self.budgets))
        # The ledger of the scene is the one that the accounts follow.
        self.books.rows = self.ledger.rows
        self.books.__post_init__()
        self.books.set(TEAM_ID, KEY, terms, START)

    @property
    def account(self) -> tuple[Decimal, Decimal]:
        found = self.books.account((TEAM_ID, KEY), START)
        return found.settled, found.held

    async def call(self, **fields: Any) -> None:
        await self.invoke(**({"actor": self.actor, "max_output_tokens": 100} | fields))


def worst_of(body: bytes, output: int) -> Decimal:
    return (len(body) * Decimal("2.5") + output * 10) / 1_000_000


async def test_the_worst_case_is_held_while_the_provider_works() -> None:
    scene = BudgetScene()

    task = await held_at(scene.provider.working, scene.call())

    assert scene.account == (NOTHING, worst_of(BODY, 100))
    scene.provider.working.open()
    await task
    assert scene.account == (scene.row.cost, NOTHING)


async def test_a_call_that_does_not_fit_is_refused_before_the_provider_is_asked() -> None:
    scene = BudgetScene(worst_of(EVEN, 100) - Decimal("0.000001"))

    with pytest.raises(BudgetExhaustedError):
        await scene.call(body=EVEN)

    assert scene.provider.requests == []
    assert (scene.row.status, scene.row.error_code) == (CallStatus.REFUSED, "BUDGET_EXHAUSTED")
    assert scene.account == (NOTHING, NOTHING)


async def test_a_call_that_fits_exactly_is_made() -> None:
    scene = BudgetScene(worst_of(EVEN, 100))

    await scene.call(body=EVEN)

    assert scene.row.status is CallStatus.SUCCEEDED


async def test_a_soft_budget_lets_all_calls_pass_and_counts_them() -> None:
    scene = BudgetScene(Decimal(0), hard=False)

    task = await held_at(scene.provider.working, scene.call())

    assert scene.account == (NOTHING, worst_of(BODY, 100))
    scene.provider.working.open()
    await task
    assert scene.account == (scene.row.cost, NOTHING)


@pytest.mark.parametrize(
    "allowances", [(), (Allowance(subject=KEY, limits=Limits(rpm=1)),)], ids=["none", "limits"]
)
async def test_nobody_is_asked_where_there_is_no_budget(
    allowances: tuple[Allowance, ...],
) -> None:
    scene = BudgetScene()
    scene.budgets.taking.fail(UnavailableError("away"))

    await scene.call(actor=replace(scene.actor, allowances=allowances))

    assert scene.row.status is CallStatus.SUCCEEDED


async def test_a_model_without_a_price_is_let_through() -> None:
    scene = BudgetScene(Decimal(0))

    await scene.call(model="unpriced")

    assert scene.row.status is CallStatus.SUCCEEDED
    assert scene.account == (NOTHING, NOTHING)


async def test_a_failed_call_gives_its_hold_back() -> None:
    scene = BudgetScene()
    scene.provider.working.fail(UnavailableError("busy"))

    with pytest.raises(UnavailableError):
        await scene.call()

    assert scene.account == (NOTHING, NOTHING)


async def test_a_cancelled_call_gives_its_hold_back_but_for_the_question() -> None:
    scene = BudgetScene()
    task = await held_at(scene.provider.working, scene.call())

    await cancelled(task)

    assert scene.row.cost is not None
    assert scene.account == (scene.row.cost, NOTHING)


async def test_a_stream_is_charged_when_it_ends() -> None:
    scene = BudgetScene()

    stream = await scene.stream(actor=scene.actor, max_output_tokens=100)
    held = scene.account
    await drained(stream)
    await stream.aclose()

    assert held == (NOTHING, worst_of(BODY, 100))
    assert scene.account == (scene.row.cost, NOTHING)


async def test_a_call_waits_for_its_hold_and_may_be_cancelled_meanwhile() -> None:
    scene = BudgetScene()
    task = await held_at(scene.budgets.taking, scene.call())

    await cancelled(task)

    assert scene.provider.requests == []
    assert scene.account == (NOTHING, NOTHING)


async def test_holds_are_kept_while_their_calls_run_and_given_back_when_nobody_keeps_them() -> None:
    scene = BudgetScene()
    clock = FrozenClock()
    keep_holds = KeepHolds(scene.budgets, clock)
    task = await held_at(scene.provider.working, scene.call())

    clock.advance(timedelta(seconds=50).total_seconds())
    kept = await keep_holds()
    clock.advance(50)
    kept += await keep_holds()
    running = scene.account
    abandoned = await InMemoryBudgets(scene.books).expire(START + timedelta(hours=1))

    assert (kept, running) == (0, (NOTHING, worst_of(BODY, 100)))
    assert abandoned == 1
    assert scene.account == (worst_of(BODY, 100), NOTHING)
    assert scene.row.status is CallStatus.INTERRUPTED
    scene.provider.working.open()
    await task
    assert scene.account == (scene.row.cost, NOTHING)
