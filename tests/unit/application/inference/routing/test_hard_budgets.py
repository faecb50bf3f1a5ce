"""Routes under a hard budget: whatever is asked in vain, no call costs more than its hold."""

from decimal import Decimal
from typing import Any

import pytest

from application.inference.budget_check import BudgetCheck
from domain.identity.allowance import Allowance, BudgetPeriod, BudgetTerms, Subject, SubjectKind
from domain.inference.errors import ProviderFailedError, ProviderTimedOutError
from domain.models.route import Route
from domain.shared.errors import BudgetExhaustedError
from domain.shared.usage import Usage
from tests.builders import KEY_ID, TEAM_ID, an_actor
from tests.fakes.budgets import BudgetBooks, InMemoryBudgets
from tests.fakes.clock import START
from tests.fakes.inference import LedgerRows
from tests.fakes.providers import ScriptedProviderStream
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route, a_target

MILLION = 1_000_000
KEY = Subject(SubjectKind.KEY, KEY_ID)
BODY = b"?" * 20
OUTPUT = 10
# A prompt is no more tokens than bytes.
WORST_OF_A = Decimal(len(BODY) + OUTPUT) / MILLION
WORST_OF_B = 2 * WORST_OF_A
# Four bytes to the token; who is too slow is paid for it.
QUESTION_TO_B = Decimal(2 * len(BODY) // 4) / MILLION
A, B = a_target("a", dollars=1), a_target("b", dollars=2)
BROKEN = ProviderFailedError("It broke.", may_pass=True)


def spent(tokens: int) -> ScriptedProviderStream:
    return ScriptedProviderStream(BROKEN, reported=Usage(prompt_tokens=tokens))


class HardScene(RouteScene):
    """Two models behind a route, and a budget on the key."""

    def __init__(self, route: Route, *, amount: Decimal = Decimal(100), hard: bool = True) -> None:
        terms = BudgetTerms(amount=amount, period=BudgetPeriod.MONTH, hard=hard)
        books = BudgetBooks(LedgerRows())
        books.set(TEAM_ID, KEY, terms, START)
        super().__init__(A, B, route, checks=(BudgetCheck(budgets=InMemoryBudgets(books)),))
        self.actor = an_actor(allowances=(Allowance(subject=KEY, budget=terms),))

    async def call(self) -> None:
        fields: dict[str, Any] = {"actor": self.actor, "body": BODY, "max_output_tokens": OUTPUT}
        await self.relay(**fields)


async def test_nobody_is_asked_again_whom_the_rest_of_the_hold_does_not_cover() -> None:
    scene = HardScene(a_route("a", "b"))
    scene.feel(a=spent(11))

    with pytest.raises(ProviderFailedError):
        await scene.call()

    assert scene.asked() == {"a": 1}
    assert scene.row.cost == Decimal(11) / MILLION


async def test_whom_the_rest_covers_is_asked() -> None:
    scene = HardScene(a_route("b", "a"))
    scene.feel(b=spent(len(BODY) + OUTPUT - 15))

    await scene.call()

    assert scene.asked() == {"a": 1, "b": 1}
    assert scene.row.cost is not None
    assert scene.row.cost <= WORST_OF_B


async def test_who_is_too_slow_keeps_nobody_from_being_asked() -> None:
    scene = HardScene(a_route("a", "b"), amount=WORST_OF_B + QUESTION_TO_B)
    scene.feel(a=ProviderTimedOutError("late", is_asked=True))

    await scene.call()

    assert scene.asked() == {"a": 1, "b": 1}
    assert scene.row.attempts[0].cost == QUESTION_TO_B / 2


async def test_a_soft_budget_keeps_nobody_from_asking_again() -> None:
    scene = HardScene(a_route("a", "b"), hard=False)
    scene.feel(a=spent(20))

    await scene.call()

    assert scene.asked() == {"a": 1, "b": 1}


@pytest.mark.parametrize(("hedge_after_ms", "worst"), [(None, WORST_OF_B), (1, 3 * WORST_OF_A)])
async def test_a_hedge_is_held_for_both_that_may_be_at_it(
    hedge_after_ms: int | None, worst: Decimal
) -> None:
    route = a_route("a", "b", hedge_after_ms=hedge_after_ms)
    enough = worst + QUESTION_TO_B
    too_little = enough - Decimal("0.000001")

    await HardScene(route, amount=enough).call()
    with pytest.raises(BudgetExhaustedError):
        await HardScene(route, amount=too_little).call()
