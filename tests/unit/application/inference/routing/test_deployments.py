"""Deployments that fail are left alone for a while, on all nodes."""

from typing import Any

import pytest

from application.inference.routing.deployments import Deployments
from application.inference.routing.ports import PROBED, DeploymentNews
from domain.inference.errors import (
    NoHealthyDeploymentError,
    ProviderFailedError,
    ProviderRejectedError,
    ProviderTimedOutError,
)
from domain.inference.routing.breaker import BreakerState
from domain.models.route import RetryPolicy
from domain.operations.routing_settings import (
    BREAKER_COOLDOWN_SECONDS,
    BREAKER_ERROR_PERCENT,
    BREAKER_FAILURES,
    BREAKER_LEAST_CALLS,
    BREAKER_WINDOW_SECONDS,
)
from domain.operations.runtime_setting import RuntimeSetting
from tests.builders import TEAM_ID
from tests.fakes.clock import FrozenClock
from tests.fakes.gate import Gate, held_at
from tests.fakes.providers import ScriptedProviderStream
from tests.fakes.routing import InMemoryDeploymentBoard
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route, a_target
from tests.unit.application.inference.scene import cancelled

A, B = a_target("a"), a_target("b", dollars=2)
ROUTE = a_route("a", "b", retry=RetryPolicy(attempts=2))
BROKEN = ProviderFailedError("It broke.", may_pass=True)


def a_scene(board: InMemoryDeploymentBoard | None = None) -> RouteScene:
    scene = RouteScene(A, B, ROUTE, board=board)
    scene.settings.set(BREAKER_FAILURES, 3)
    return scene


async def fail(scene: RouteScene, times: int) -> None:
    scene.feel(a=(BROKEN,) * times)
    for _ in range(times):
        assert await scene.ask() == "b"


def states(scene: RouteScene) -> dict[str, str]:
    return {pulse.key: str(state) for pulse, state in scene.plane.deployments.states()}


async def test_a_deployment_that_fails_is_left_alone_and_comes_back() -> None:
    scene = a_scene()

    await fail(scene, 3)
    assert await scene.ask() == "b"
    assert scene.asked() == {"a": 3, "b": 4}
    assert states(scene) == {"a/x": "open", "b/x": "closed"}

    scene.clock.advance(10)
    assert states(scene)["a/x"] == "half_open"
    assert await scene.ask() == "a"
    assert states(scene)["a/x"] == "closed"
    assert [(news.out_s, news.reason) for news in scene.plane.board.told] == [
        (10.0, "PROVIDER_ERROR"),
        (10.0, "probed"),
        (None, ""),
    ]


async def test_one_that_was_given_up_meanwhile_is_not_asked_any_more() -> None:
    board = InMemoryDeploymentBoard()
    scene = a_scene(board)
    failing = Gate()
    scene.feel(a=(failing, BROKEN, BROKEN))

    task = await held_at(failing, scene.ask())
    board.announce(DeploymentNews(deployment="b/x", out_s=60, reason="PROVIDER_ERROR"))
    failing.open()

    with pytest.raises(ProviderFailedError):
        await task
    assert scene.asked() == {"a": 2}


async def test_half_open_one_call_at_a_time_tries_it() -> None:
    scene = a_scene()
    await fail(scene, 3)
    scene.clock.advance(10)
    probing = Gate()
    scene.feel(a=probing)

    task = await held_at(probing, scene.ask())
    assert await scene.ask() == "b"
    probing.open()

    assert await task == "a"
    assert await scene.ask() == "a"


async def test_a_probe_whose_client_goes_away_lets_the_next_one_try() -> None:
    scene = a_scene()
    await fail(scene, 3)
    scene.clock.advance(10)
    probing = Gate()
    scene.feel(a=probing)

    await cancelled(await held_at(probing, scene.ask()))

    assert await scene.ask() == "a"


async def test_another_node_hears_of_it_and_of_its_end() -> None:
    board = InMemoryDeploymentBoard()
    first, second = a_scene(board), a_scene(board)

    await fail(first, 3)
    assert await second.ask() == "b"
    assert second.asked() == {"b": 1}

    first.clock.advance(10)
    assert await first.ask() == "a"
    assert await second.ask() == "a"


async def test_of_all_nodes_one_tries_it_at_a_time() -> None:
    board = InMemoryDeploymentBoard()
    nodes = first, second, third = [a_scene(board) for _ in range(3)]
    await fail(first, 3)
    for node in nodes:
        node.clock.advance(10)

    # Who has told of it goes first.
    assert [await node.ask() for node in (second, third)] == ["b", "b"]
    probing = Gate()
    first.feel(a=probing)
    task = await held_at(probing, first.ask())
    for node in nodes:
        node.clock.advance(3)
    assert [await node.ask() for node in nodes] == ["b", "b", "b"]
    probing.open()

    assert await task == "a"
    assert [await node.ask() for node in nodes] == ["a", "a", "a"]


async def test_of_two_nodes_that_try_it_at_once_the_first_to_succeed_brings_it_back() -> None:
    board = InMemoryDeploymentBoard()
    first, second = a_scene(board), a_scene(board)
    await fail(first, 3)
    first.clock.advance(10)
    probing = Gate()
    first.feel(a=probing)

    task = await held_at(probing, first.ask())
    first.clock.advance(1)
    board.announce(DeploymentNews(deployment="a/x", out_s=10, reason=PROBED, by="a third"))
    first.clock.advance(1)
    probing.open()

    assert await task == "a"
    assert [await node.ask() for node in (first, second)] == ["a", "a"]


async def test_a_node_that_is_gone_leaves_the_trying_to_the_others() -> None:
    board = InMemoryDeploymentBoard()
    gone, second, third = [a_scene(board) for _ in range(3)]
    await fail(gone, 3)
    for node in (second, third):
        node.clock.advance(12)
    probing = Gate()
    second.feel(a=probing)

    task = await held_at(probing, second.ask())
    assert await third.ask() == "b"
    await cancelled(task)
    third.clock.advance(2)

    assert await third.ask() == "a"


async def test_a_node_that_comes_later_knows_what_stands() -> None:
    board = InMemoryDeploymentBoard()
    await fail(a_scene(board), 3)

    later = a_scene(board)

    assert await later.ask() == "b"


async def test_what_others_took_back_before_it_mattered_is_forgotten() -> None:
    board = InMemoryDeploymentBoard()
    scene = a_scene(board)

    board.announce(DeploymentNews(deployment="a/x", out_s=60, reason="PROVIDER_ERROR"))
    board.announce(DeploymentNews(deployment="a/x", out_s=None))

    assert await scene.ask() == "a"


async def test_what_others_tell_of_a_known_deployment_counts() -> None:
    board = InMemoryDeploymentBoard()
    scene = a_scene(board)
    await scene.ask()

    board.announce(DeploymentNews(deployment="a/x", out_s=60, reason="PROVIDER_ERROR"))
    board.announce(DeploymentNews(deployment="a/x", out_s=60, reason="PROVIDER_ERROR"))

    assert await scene.ask() == "b"


async def test_deployments_of_teams_with_one_name_are_two() -> None:
    theirs = a_target("a", owner=TEAM_ID)
    deployments = a_scene().plane.deployments

    assert deployments.of(theirs) is not deployments.of(A)
    assert deployments.of(theirs).key == f"{TEAM_ID}/a/x"


async def test_when_all_are_left_alone_the_caller_hears_how_long() -> None:
    scene = a_scene()
    scene.feel(a=(BROKEN,) * 3, b=(BROKEN,) * 3)
    for _ in range(3):
        with pytest.raises(ProviderFailedError):
            await scene.ask()
    scene.clock.advance(4)

    with pytest.raises(NoHealthyDeploymentError) as error:
        await scene.ask()

    assert error.value.retry_after == pytest.approx(6.0)
    assert scene.row.error_code == "NO_HEALTHY_DEPLOYMENT"
    assert scene.asked() == {"a": 3, "b": 3}


async def test_a_model_that_was_named_is_asked_once_even_if_it_fails() -> None:
    scene = a_scene()
    await fail(scene, 3)
    scene.feel(a=BROKEN)

    with pytest.raises(ProviderFailedError):
        await scene.ask("a")
    assert scene.asked() == {"a": 4, "b": 3}

    assert await scene.ask("a") == "a"
    assert states(scene)["a/x"] == "closed"


async def test_mistakes_of_clients_do_not_count() -> None:
    scene = a_scene()
    scene.feel(a=(ProviderRejectedError("No."),) * 10)

    for _ in range(10):
        with pytest.raises(ProviderRejectedError):
            await scene.ask()

    assert set(states(scene).values()) == {"closed"}
    assert scene.plane.board.told == []


async def test_streams_that_break_midway_count() -> None:
    scene = a_scene()
    scene.settings.set(BREAKER_ERROR_PERCENT, 50)
    scene.settings.set(BREAKER_LEAST_CALLS, 8)
    broken = ProviderTimedOutError("silence")
    scene.feel(a=tuple(ScriptedProviderStream(b"one", broken) for _ in range(5)))

    for _ in range(5):
        with pytest.raises(ProviderTimedOutError):
            await scene.relay()

    assert states(scene)["a/x"] == "open"


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        (BREAKER_FAILURES, 2, "open"),
        (BREAKER_FAILURES, 3, "closed"),
        (BREAKER_COOLDOWN_SECONDS, 0, "closed"),
    ],
)
async def test_settings_of_the_row_of_failures_act(
    setting: RuntimeSetting[Any], value: int, expected: str
) -> None:
    scene = a_scene()
    scene.settings.set(BREAKER_FAILURES, 2)
    scene.settings.set(setting, value)

    await fail(scene, 2)

    assert states(scene)["a/x"] == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "open"),
        ({BREAKER_ERROR_PERCENT: 60}, "closed"),
        ({BREAKER_ERROR_PERCENT: 0}, "closed"),
        ({BREAKER_LEAST_CALLS: 5}, "closed"),
        ({BREAKER_WINDOW_SECONDS: 1}, "closed"),
    ],
)
async def test_settings_of_the_share_of_failures_act(
    settings: dict[RuntimeSetting[Any], int], expected: str
) -> None:
    clock, chosen = FrozenClock(), InMemoryRuntimeSettings()
    base = {BREAKER_FAILURES: 0, BREAKER_ERROR_PERCENT: 50, BREAKER_LEAST_CALLS: 4}
    for setting, value in (base | settings).items():
        chosen.set(setting, value)
    deployments = Deployments(clock=clock, settings=chosen, board=InMemoryDeploymentBoard())
    pulse = deployments.of(A)

    deployments.failed(pulse, BROKEN)
    deployments.answered(pulse, 1.0)
    clock.advance(2)
    deployments.answered(pulse, 1.0)
    deployments.failed(pulse, BROKEN)

    [(_, state)] = deployments.states()
    assert str(state) == expected


async def test_the_cooldown_acts() -> None:
    scene = a_scene()
    scene.settings.set(BREAKER_COOLDOWN_SECONDS, 60)
    await fail(scene, 3)

    scene.clock.advance(59)
    assert await scene.ask() == "b"
    scene.clock.advance(1)
    assert await scene.ask() == "a"


async def test_a_sign_of_life_lets_the_next_call_try() -> None:
    scene = a_scene()
    await fail(scene, 3)
    deployments = scene.plane.deployments

    deployments.try_again(deployments.of(B))
    assert states(scene) == {"a/x": "open", "b/x": "closed"}
    deployments.try_again(deployments.of(A))

    assert states(scene)["a/x"] == BreakerState.HALF_OPEN
    assert await scene.ask() == "a"
    deployments.try_again(deployments.of(A))
    assert deployments.wait_s(A) == 0.0


async def test_what_failed_for_another_reason_than_its_health_is_no_news() -> None:
    deployments = a_scene().plane.deployments
    pulse = deployments.of(A)
    deployments.failed(pulse, BROKEN)

    deployments.failed(pulse, ValueError("a bug"))

    assert pulse.breaker is not None
    assert pulse.breaker.in_a_row == 1
