import asyncio
from dataclasses import dataclass, field

from application.inference.routing.deployments import Deployments, Pulse
from application.inference.routing.ports import DeploymentProbe
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from domain.inference.routing.breaker import BreakerState
from domain.operations.routing_settings import HEALTH_CHECK_SECONDS


@dataclass(slots=True, kw_only=True)
class ProbeDeployments:
    """Asks the deployments that are left alone for a sign of life, as often as their routes or the
    setting say. One that gives it is tried by the next call, before its time alone is over."""

    deployments: Deployments
    probe: DeploymentProbe
    settings: RuntimeSettings
    clock: Clock
    # When those were asked that are left alone.
    _asked: dict[str, float] = field(default_factory=dict)

    async def __call__(self) -> None:
        states = self.deployments.states()
        alone = [pulse for pulse, state in states if state is BreakerState.OPEN]
        now, never = self.clock.monotonic(), float("-inf")
        asked = {pulse.key: self._asked.get(pulse.key, never) for pulse in alone}
        usual_s = self.settings.get(HEALTH_CHECK_SECONDS)
        due = [
            pulse for pulse in alone if 0 < pulse.check_every_s(usual_s) <= now - asked[pulse.key]
        ]
        self._asked = asked | {pulse.key: now for pulse in due}
        await asyncio.gather(*map(self._ask, due))

    async def _ask(self, pulse: Pulse) -> None:
        if await self.probe.is_alive(pulse.model):
            self.deployments.try_again(pulse)
