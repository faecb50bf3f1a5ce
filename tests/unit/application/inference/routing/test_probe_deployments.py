import pytest

from application.inference.routing.probe_deployments import ProbeDeployments
from domain.operations.routing_settings import HEALTH_CHECK_SECONDS
from tests.fakes.routing import ScriptedProbe
from tests.unit.application.inference.routing.test_deployments import a_scene, fail, states


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
