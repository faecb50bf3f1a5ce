"""Allotments while the database is away, and how large they are."""

import asyncio
from decimal import Decimal

import pytest

from application.inference.allotments.allotment_stock import AllotmentStock
from application.inference.allotments.caller import AllotmentRules
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Subject, SubjectKind
from domain.inference.budget import Hold
from domain.shared.errors import UnavailableError
from domain.shared.ids import CallId
from tests.builders import KEY_ID, TEAM_ID, USER_ID
from tests.fakes.budgets import BudgetBooks, InMemoryAllotments
from tests.fakes.clock import START, FrozenClock
from tests.fakes.gate import Gate
from tests.fakes.ids import SequentialIds
from tests.fakes.inference import LedgerRows

TEAM = Subject(SubjectKind.TEAM, TEAM_ID)
TERMS = BudgetTerms(amount=Decimal(1_000_000), period=BudgetPeriod.MONTH)
RULES = AllotmentRules(busy_calls=1, calls=10, least_calls=1)


class Scene:
    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.ids = SequentialIds()
        self.books = BudgetBooks(LedgerRows())
        self.books.set(TEAM_ID, TEAM, TERMS, START)
        self.allotments = InMemoryAllotments(self.books)
        self.stock = AllotmentStock(
            self.allotments, self.clock, SequentialIds(), ttl_s=60, tend_s=3600, rules=RULES
        )

    @property
    def held(self) -> Decimal:
        return self.books.account((TEAM_ID, TEAM), START).held

    async def take(self) -> bool:
        """Whether a hold of a dollar came out of an allotment."""
        allotment = self.stock.take(self.a_hold())
        await self.stock.idle()
        return allotment is not None

    def a_hold(self) -> Hold:
        return Hold(
            call_id=CallId(self.ids.new()),
            team_id=TEAM_ID,
            user_id=USER_ID,
            key_id=KEY_ID,
            amount=Decimal(1),
            at=self.clock.now(),
            terms=(TERMS,),
        )


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_accounts_that_are_away_are_asked_again_after_a_pause(scene: Scene) -> None:
    scene.allotments.asked.fail(UnavailableError("Away."))
    await scene.take()
    scene.allotments.asked = Gate()

    at_once = [await scene.take() for _ in range(3)]
    scene.clock.advance(RULES.pause_after_nothing_s)
    later = [await scene.take() for _ in range(2)]

    assert at_once == [False] * 3
    assert later == [False, True]
    await scene.stock.stop()


async def test_what_is_under_way_when_the_process_stops_is_given_back(scene: Scene) -> None:
    answered = scene.allotments.answered
    answered.shut()
    scene.stock.take(scene.a_hold())
    await answered.reached.wait()
    held = scene.held

    stopping = asyncio.create_task(scene.stock.stop())
    await asyncio.sleep(0)
    answered.open()
    await stopping

    assert held == 10
    assert scene.held == 0


async def test_an_allotment_that_does_not_last_is_followed_by_one_that_is_twice_as_large(
    scene: Scene,
) -> None:
    await scene.take()
    first = scene.held
    for _ in range(8):
        scene.clock.advance(0.02)
        assert await scene.take()

    # What the first one has is held by its calls.
    assert first == 10
    assert scene.held == 8 + 20
    await scene.stock.stop()


async def test_one_that_lasts_is_followed_by_one_of_the_same_size(scene: Scene) -> None:
    await scene.take()
    for _ in range(8):
        scene.clock.advance(0.2)
        assert await scene.take()

    assert scene.held == 8 + 10
    await scene.stock.stop()


async def test_giving_back_is_not_repeated_when_nobody_knows_whether_it_happened(
    scene: Scene,
) -> None:
    await scene.take()
    scene.allotments.alive = False
    scene.stock.tend()
    scene.stock.tend()
    await scene.stock.idle()
    scene.allotments.alive = True

    scene.stock.tend()
    await scene.stock.idle()

    assert scene.held == 10
    assert not await scene.take()
    await scene.stock.stop()
