import asyncio
from decimal import Decimal
from typing import Any

import pytest

from application.inference.call_allowances import AllowanceCheck, AllowanceRequest, Reservation
from domain.identity.allowance import Allowance, Limits, Subject, SubjectKind
from domain.inference.call import CacheUse, Call, CallStatus
from domain.models.route import CachePolicy
from domain.operations.keeping_settings import ANSWER_CACHE_WAIT_SECONDS
from domain.shared.errors import LimitExceededError, UpstreamError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, an_actor
from tests.fakes.gate import Gate
from tests.fakes.providers import DONE, USAGE, ScriptedProviderStream
from tests.unit.application.inference.keeping.keeping_scene import KeepingScene
from tests.unit.application.inference.routing.route_scene import a_route, a_target

Asking = asyncio.Task[Any]


class Crowd:
    """Several equal calls, of which the first one is held up by its provider."""

    def __init__(self, *, checks: tuple[AllowanceCheck, ...] = ()) -> None:
        route = a_route("a", cache=CachePolicy(ttl_s=60))
        self.scene = KeepingScene(a_target("a"), route, checks=checks)
        self.gate = Gate()
        self.gate.shut()
        self.scene.feel(a=self.gate)

    async def leader(self, **fields: Any) -> Asking:
        leader = asyncio.create_task(self.scene.ask(**fields))
        await self.gate.reached.wait()
        return leader

    async def follower(self, **fields: Any) -> Asking:
        """Returns when it waits."""
        before = self.scene.sharing.joined
        task = asyncio.create_task(self.scene.ask(**fields))
        while self.scene.sharing.joined == before:
            await asyncio.sleep(0)
        return task

    @property
    def rows(self) -> list[Call]:
        return sorted(self.scene.ledger.rows.calls.values(), key=lambda call: call.id)


async def test_equal_calls_at_once_ask_a_model_once() -> None:
    crowd = Crowd()
    leader = await crowd.leader()
    followers = [await crowd.follower() for _ in range(3)]

    crowd.gate.open()
    answers = await asyncio.gather(leader, *followers)

    first, *others = crowd.rows
    assert answers == ["a"] * 4
    assert crowd.scene.asked() == {"a": 1}
    assert (first.cache, first.saved) == (CacheUse.MISS, None)
    assert [(row.cache, row.cost, row.saved) for row in others] == [
        (CacheUse.HIT, Decimal(0), first.cost)
    ] * 3
    assert [row.usage for row in others] == [USAGE] * 3


async def test_streams_wait_for_the_whole_of_the_first() -> None:
    crowd = Crowd()
    blocks = [b"one", b"two", DONE]
    crowd.scene.feel(a=ScriptedProviderStream(*blocks))
    leader = asyncio.create_task(crowd.scene.relay())
    await crowd.gate.reached.wait()
    follower = asyncio.create_task(crowd.scene.relay())
    while crowd.scene.sharing.joined == 1:
        await asyncio.sleep(0)

    crowd.gate.open()

    assert (await leader, await follower) == (blocks, blocks)
    assert crowd.scene.asked() == {"a": 1}


async def test_where_the_first_fails_the_others_ask_themselves() -> None:
    crowd = Crowd()
    leader = await crowd.leader()
    follower = await crowd.follower()
    crowd.scene.feel(a=tuple(UpstreamError("It broke.") for _ in range(5)))

    crowd.gate.open()

    with pytest.raises(UpstreamError):
        await leader
    assert await follower == "a"
    assert [row.cache for row in crowd.rows] == [CacheUse.MISS, CacheUse.MISS]


async def test_when_the_first_one_leaves_another_takes_its_place() -> None:
    crowd = Crowd()
    leader = await crowd.leader()
    second, third = [await crowd.follower() for _ in range(2)]

    leader.cancel()
    answers = (await second, await third)

    assert answers == ("a", "a")
    assert crowd.scene.asked() == {"a": 2}
    assert [row.cache for row in crowd.rows] == [CacheUse.MISS, CacheUse.MISS, CacheUse.HIT]
    assert leader.cancelled()


async def test_whoever_leaves_while_waiting_takes_nobody_along() -> None:
    crowd = Crowd()
    leader = await crowd.leader()
    second, third = [await crowd.follower() for _ in range(2)]

    second.cancel()
    await asyncio.wait([second])
    crowd.gate.open()

    assert (await leader, await third) == ("a", "a")
    assert [row.status for row in crowd.rows] == [
        CallStatus.SUCCEEDED,
        CallStatus.CANCELLED,
        CallStatus.SUCCEEDED,
    ]
    assert crowd.scene.asked() == {"a": 1}


@pytest.mark.parametrize("patience_s", [0, 1])
async def test_nobody_waits_for_longer_than_the_team_wants(patience_s: int) -> None:
    crowd = Crowd()
    crowd.scene.settings.set(ANSWER_CACHE_WAIT_SECONDS, patience_s, TEAM_ID)
    leader = await crowd.leader()

    answer = await crowd.scene.ask()

    assert answer == "a"
    assert crowd.scene.asked() == {"a": 2}
    assert not leader.done()
    crowd.gate.open()
    await leader


async def test_nobody_waits_for_a_call_that_has_taken_too_long_already() -> None:
    crowd = Crowd()
    leader = await crowd.leader()
    crowd.scene.clock.advance(31)

    answer = await crowd.scene.ask()

    assert answer == "a"
    assert not leader.done()
    crowd.gate.open()
    await leader


@pytest.mark.parametrize(
    "fields",
    [
        {"actor": an_actor(team_id=OTHER_TEAM_ID)},
        {"body": b'{"other":1}'},
        {"may_recall": False},
        {"may_recall": False, "may_keep": False},
    ],
)
async def test_others_do_not_wait(fields: dict[str, Any]) -> None:
    crowd = Crowd()
    leader = await crowd.leader()

    answer = await crowd.scene.ask(**fields)

    assert answer == "a"
    assert not leader.done()
    crowd.gate.open()
    await leader


class NothingLeft(AllowanceCheck):
    async def admit(self, request: AllowanceRequest) -> Reservation | None:
        raise LimitExceededError("No more.")


async def test_nobody_waits_for_a_call_that_was_refused() -> None:
    crowd = Crowd(checks=(NothingLeft(),))
    limited = Allowance(subject=Subject(SubjectKind.TEAM, TEAM_ID), limits=Limits(rpm=1))

    with pytest.raises(LimitExceededError):
        await crowd.scene.ask(actor=an_actor(allowances=(limited,)))

    assert crowd.scene.sharing.led == {}


async def test_those_who_wait_share_what_is_found_too() -> None:
    crowd = Crowd()
    crowd.gate.open()
    await crowd.scene.ask()
    asked = crowd.scene.cache.asked

    answers = await asyncio.gather(*(crowd.scene.ask() for _ in range(3)))

    assert answers == ["a"] * 3
    assert [row.cache for row in crowd.rows] == [CacheUse.MISS, *[CacheUse.HIT] * 3]
    assert crowd.scene.cache.asked > asked


async def test_a_cache_that_is_away_holds_nobody_up() -> None:
    crowd = Crowd()
    crowd.scene.cache.is_away = True
    leader = await crowd.leader()

    answer = await crowd.scene.ask()

    assert answer == "a"
    assert not leader.done()
    crowd.gate.open()
    await leader
    assert [row.cache for row in crowd.rows] == [CacheUse.AWAY] * 2


async def test_what_others_found_may_be_too_old() -> None:
    crowd = Crowd()
    crowd.gate.open()
    await crowd.scene.ask()
    crowd.scene.clock.advance(10)

    old, fresh = await asyncio.gather(crowd.scene.ask(), crowd.scene.ask(max_age_s=5))

    assert (old, fresh) == ("a", "a")
    assert crowd.scene.asked() == {"a": 2}
