import asyncio
from dataclasses import dataclass

from application.inference.routing.deployments import Deployments, Pulse
from application.inference.routing.ports import DeploymentProbe
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from domain.inference.routing.breaker import BreakerState
from domain.operations.routing_settings import HEALTH_CHECK_SECONDS


@dataclass(slots=True, kw_only=True)
class ProbeDeployments:
    """Asks the deployments that are left alone for a sign of life, as often as the setting says.
    One that gives it is tried by the next call, before its time alone is over."""

    deployments: Deployments
    probe: DeploymentProbe
    settings: RuntimeSettings
    clock: Clock
    _last: float | None = None

    async def __call__(self) -> None:
        every_s, now = self.settings.get(HEALTH_CHECK_SECONDS), self.clock.monotonic()
        if not every_s or (self._last is not None and now - self._last < every_s):
            return
        self._last = now
        states = self.deployments.states()
        alone = [pulse for pulse, state in states if state is BreakerState.OPEN]
        await asyncio.gather(*map(self._ask, alone))

    async def _ask(self, pulse: Pulse) -> None:
        if await self.probe.is_alive(pulse.model):
            self.deployments.try_again(pulse)
