"""A second model is asked when the first takes its time."""

import asyncio

import pytest

from domain.inference.call import CallStatus
from domain.inference.errors import ProviderFailedError, ProviderRejectedError
from domain.models.served_model import DeploymentLimits
from tests.fakes.gate import Gate, held_at
from tests.fakes.providers import DONE, ScriptedProviderStream
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route, a_target
from tests.unit.application.inference.scene import cancelled

A, B, C = a_target("a"), a_target("b", dollars=2), a_target("c")
BROKEN = ProviderFailedError("It broke.", may_pass=True)
AT_ONCE, NEVER = 1, 60_000


def stuck() -> Gate:
    gate = Gate()
    gate.shut()
    return gate


def a_scene(after_ms: int = AT_ONCE) -> RouteScene:
    limited = a_target("b", dollars=2, limits=DeploymentLimits(concurrency=9))
    return RouteScene(A, limited, C, a_route("a", "b", "c", hedge_after_ms=after_ms))


async def test_a_first_that_answers_in_time_is_alone() -> None:
    scene = a_scene(NEVER)

    assert await scene.ask() == "a"
    assert scene.asked() == {"a": 1}
    assert scene.tried == [("a", "succeeded")]


async def test_the_second_wins_and_the_first_is_let_go() -> None:
    scene = a_scene()
    scene.feel(a=stuck())

    assert await scene.ask() == "b"
    assert sorted(scene.tried) == [("a", "cancelled"), ("b", "succeeded")]
    assert (scene.row.routed_to, scene.row.deployment) == ("b", "b/x")
    assert scene.row.reason == "hedge"
    assert {p.standing.running for p, _ in scene.plane.deployments.states()} == {0}


async def test_the_first_may_still_win() -> None:
    scene = a_scene()
    slow = stuck()
    scene.feel(a=slow, b=stuck())

    task = asyncio.create_task(scene.ask())
    while "b" not in scene.asked():
        await asyncio.sleep(0.001)
    slow.open()

    assert await task == "a"
    assert sorted(scene.tried) == [("a", "succeeded"), ("b", "cancelled")]
    assert scene.row.reason == "priority"


async def test_streams_race_to_their_first_block() -> None:
    scene = a_scene()
    scene.feel(a=ScriptedProviderStream(stuck()))

    assert await scene.relay() == [b"b", DONE]
    assert scene.providers["a"].streams[0].closes == 1


async def test_one_that_fails_leaves_the_call_to_the_other() -> None:
    scene = a_scene()
    slow = stuck()
    scene.feel(a=(slow, BROKEN))

    assert await scene.ask() == "b"
    slow.open()


async def test_the_race_goes_on_when_the_second_fails() -> None:
    scene = a_scene()
    slow = stuck()
    scene.feel(a=slow, b=BROKEN)

    task = asyncio.create_task(scene.ask())
    while not scene.plane.deployments.of(B).breaker:
        await asyncio.sleep(0.001)
    slow.open()

    assert await task == "a"
    assert sorted(scene.tried) == [("a", "succeeded"), ("b", "PROVIDER_ERROR")]


async def test_when_both_fail_the_others_have_their_turn() -> None:
    scene = a_scene(NEVER)
    scene.feel(a=BROKEN, b=BROKEN)

    assert await scene.ask() == "c"
    assert [name for name, _ in scene.tried] == ["a", "b", "c"]


async def test_a_mistake_of_the_client_ends_it() -> None:
    scene = a_scene(NEVER)
    scene.feel(a=ProviderRejectedError("No."))

    with pytest.raises(ProviderRejectedError):
        await scene.ask()

    assert scene.asked() == {"a": 1}


async def test_without_a_second_the_first_is_waited_for() -> None:
    scene = RouteScene(A, a_route("a", hedge_after_ms=AT_ONCE))
    slow = stuck()
    scene.feel(a=slow)

    task = await held_at(slow, scene.ask())
    await asyncio.sleep(0.01)
    slow.open()

    assert await task == "a"


async def test_two_that_begin_at_once_are_one_winner_and_one_let_go() -> None:
    scene = a_scene()
    slow = stuck()
    scene.feel(a=slow, b=slow)

    task = asyncio.create_task(scene.relay())
    while "b" not in scene.asked():
        await asyncio.sleep(0.001)
    slow.open()
    blocks = await task

    assert blocks == [b"a", DONE]
    assert sorted(scene.tried) == [("a", "succeeded"), ("b", "cancelled")]
    assert {p.standing.running for p, _ in scene.plane.deployments.states()} == {0}
    assert all(
        stream.closes == 1 for name in ("a", "b") for stream in scene.providers[name].streams
    )


async def test_two_answers_at_once_are_one_winner_and_one_let_go() -> None:
    scene = RouteScene(A, C, a_route("a", "c", hedge_after_ms=AT_ONCE))
    slow = stuck()
    scene.feel(a=slow, c=slow)

    task = asyncio.create_task(scene.ask())
    while "c" not in scene.asked():
        await asyncio.sleep(0.001)
    slow.open()

    assert await task == "a"
    assert sorted(scene.tried) == [("a", "succeeded"), ("c", "cancelled")]


async def test_what_was_set_aside_for_the_one_let_go_is_given_back() -> None:
    scene = a_scene()
    slow = stuck()
    scene.feel(a=slow, b=slow)

    task = asyncio.create_task(scene.ask())
    while "b" not in scene.asked():
        await asyncio.sleep(0.001)
    slow.open()
    await task

    assert sorted(outcome for _, outcome in scene.tried) == ["cancelled", "succeeded"]
    assert len(scene.plane.limits.settled) == 1


async def test_a_client_that_goes_away_stops_both() -> None:
    scene = a_scene()
    scene.feel(a=stuck(), b=(second := stuck()))

    task = await held_at(second, scene.ask())
    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert [outcome for _, outcome in scene.tried] == ["cancelled", "cancelled"]


async def test_a_client_that_goes_away_while_the_loser_is_let_go_leaves_nothing_open() -> None:
    scene = a_scene()
    slow, closing = ScriptedProviderStream(stuck()), stuck()
    slow.closing = closing
    scene.feel(a=slow)

    task = asyncio.create_task(scene.relay())
    await closing.reached.wait()
    task.cancel()
    await asyncio.sleep(0)
    closing.open()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [s.closes for s in scene.providers["b"].streams] == [1]
    assert {p.standing.running for p, _ in scene.plane.deployments.states()} == {0}
    assert len(scene.plane.limits.settled) == 1
    assert [outcome for _, outcome in scene.tried] == ["cancelled", "cancelled"]


async def test_who_was_too_slow_is_known_to_be() -> None:
    scene = RouteScene(A, C, a_route("a", "c", hedge_after_ms=AT_ONCE))
    standing = scene.plane.deployments.of(A).standing
    standing.measure(100, scene.clock.monotonic(), is_stream=False)
    scene.feel(a=(slow := stuck()), c=(other := stuck()))

    task = await held_at(other, scene.ask())
    scene.clock.advance(2)
    other.open()

    assert await task == "c"
    assert standing.whole.average_ms == pytest.approx(100 + 0.3 * 1900)
    slow.open()


async def test_an_unforeseen_error_ends_it() -> None:
    scene = a_scene(NEVER)
    scene.feel(a=ValueError("a bug"))

    with pytest.raises(ValueError, match="a bug"):
        await scene.ask()
