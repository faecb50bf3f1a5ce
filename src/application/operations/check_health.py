import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from application.operations.ports import ComponentHealth, HealthProbe, HealthStatus
from application.shared.ports import Clock
from domain.shared.errors import StoaError

log = structlog.get_logger()

PROBE_TIMEOUT_S = 2.0
# Anybody may ask for the summary, so asking often must not mean looking often.
MAX_AGE_S = 1.0

_WORST_FIRST = (HealthStatus.UNHEALTHY, HealthStatus.DEGRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedComponent:
    name: str
    health: ComponentHealth
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    components: tuple[CheckedComponent, ...]

    @property
    def status(self) -> HealthStatus:
        """The worst of the components'."""
        found = {component.health.status for component in self.components}
        return next((status for status in _WORST_FIRST if status in found), HealthStatus.HEALTHY)


class CheckHealth:
    """Looks at every part of Stoa at the same time.

    A report is at most a second old. One object serves the whole process, so that callers share it.
    """

    def __init__(
        self, probes: Sequence[HealthProbe], clock: Clock, timeout_s: float = PROBE_TIMEOUT_S
    ) -> None:
        self._probes = tuple(probes)
        self._clock = clock
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._latest: tuple[float, HealthReport] | None = None

    async def __call__(self) -> HealthReport:
        async with self._lock:
            latest = self._latest
            if latest is not None and self._clock.monotonic() - latest[0] < MAX_AGE_S:
                return latest[1]
            checked = await asyncio.gather(*(self._look(probe) for probe in self._probes))
            report = HealthReport(components=tuple(checked))
            self._latest = (self._clock.monotonic(), report)
            return report

    async def _look(self, probe: HealthProbe) -> CheckedComponent:
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                health = await probe.check()
        except TimeoutError:
            health = _unhealthy(f"no answer within {self._timeout_s:g} seconds")
        except StoaError as error:
            health = _unhealthy(error.message)
        except Exception:
            # A probe is often the first to meet what nobody has foreseen; its words stay inside.
            log.exception("health.probe_failed", component=probe.name)
            health = _unhealthy("the check itself failed")
        latency_ms = (self._clock.monotonic() - started) * 1000
        return CheckedComponent(name=probe.name, health=health, latency_ms=latency_ms)


def _unhealthy(detail: str) -> ComponentHealth:
    return ComponentHealth(status=HealthStatus.UNHEALTHY, detail=detail)
