import pytest

from application.inference.routing.deployments import Pulse
from application.inference.routing.probe_deployments import ProbeDeployments
from domain.models.route import RetryPolicy
from domain.operations.routing_settings import BREAKER_FAILURES, HEALTH_CHECK_SECONDS
from tests.fakes.routing import ScriptedProbe
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route
from tests.unit.application.inference.routing.test_deployments import A, B, a_scene, fail, states


@pytest.mark.parametrize(
    ("alive", "state", "answering"), [({"a/x"}, "half_open", "a"), (set(), "open", "b")]
)
async def test_a_sign_of_life_brings_a_deployment_back_before_its_time(
    alive: set[str], state: str, answering: str
) -> None:
    scene, probe = a_scene(), ScriptedProbe(alive)
    scene.settings.set(HEALTH_CHECK_SECONDS, 5)
    ask = ProbeDeployments(
        deployments=scene.plane.deployments, probe=probe, settings=scene.settings, clock=scene.clock
    )
    await fail(scene, 3)

    await ask()

    assert states(scene)["a/x"] == state
    assert await scene.ask() == answering
    assert probe.asked == ["a/x"]


@pytest.mark.parametrize(
    ("usual_s", "of_route_s", "times"), [(0, 2, 3), (2, 0, 0), (5, 1, 5), (1, None, 5)]
)
async def test_a_route_may_say_how_often_its_own_are_asked(
    usual_s: int, of_route_s: int | None, times: int
) -> None:
    route = a_route("a", "b", retry=RetryPolicy(attempts=2), health_check_s=of_route_s)
    scene, probe = RouteScene(A, B, route), ScriptedProbe()
    scene.settings.set(BREAKER_FAILURES, 3)
    scene.settings.set(HEALTH_CHECK_SECONDS, usual_s)
    ask = ProbeDeployments(
        deployments=scene.plane.deployments, probe=probe, settings=scene.settings, clock=scene.clock
    )
    await fail(scene, 3)

    for _ in range(5):
        await ask()
        scene.clock.advance(1)

    assert probe.asked == ["a/x"] * times


def test_of_what_several_routes_say_the_shortest_counts() -> None:
    pulse = Pulse("a/x", A)

    assert pulse.check_every_s(7) == 7
    pulse.checks["one"] = 0
    assert pulse.check_every_s(7) == 0
    pulse.checks.update(two=30, three=20)
    assert pulse.check_every_s(7) == 20


async def test_it_asks_as_often_as_the_setting_says_and_never_without() -> None:
    scene, probe = a_scene(), ScriptedProbe()
    ask = ProbeDeployments(
        deployments=scene.plane.deployments, probe=probe, settings=scene.settings, clock=scene.clock
    )
    await fail(scene, 3)

    await ask()
    assert probe.asked == []

    scene.settings.set(HEALTH_CHECK_SECONDS, 2)
    for _ in range(5):
        await ask()
        scene.clock.advance(1)
    assert len(probe.asked) == 3
