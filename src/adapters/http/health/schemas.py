from dataclasses import dataclass
from datetime import datetime
from typing import Self

from msgspec import Struct

from application.operations.check_health import CheckedComponent, HealthReport
from application.operations.ports import HealthStatus
from application.shared.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """``started`` is a reading of the clock's ``monotonic``."""

    version: str
    started: float
    clock: Clock

    @property
    def uptime(self) -> float:
        return round(self.clock.monotonic() - self.started, 3)


class HealthView(Struct, kw_only=True):
    """`status` is `healthy`, `degraded`, `unhealthy` or `starting`; `uptime` is in seconds."""

    status: str
    timestamp: datetime
    version: str
    uptime: float


class ComponentView(Struct, kw_only=True):
    status: HealthStatus
    latency_ms: float
    detail: str | None

    @classmethod
    def of(cls, component: CheckedComponent) -> Self:
        return cls(
            status=component.health.status,
            latency_ms=round(component.latency_ms, 3),
            detail=component.health.detail,
        )


class DetailedHealthView(HealthView, kw_only=True):
    components: dict[str, ComponentView]

    @classmethod
    def of(cls, report: HealthReport, server: ServerInfo) -> Self:
        return cls(
            status=report.status,
            timestamp=server.clock.now(),
            version=server.version,
            uptime=server.uptime,
            components={part.name: ComponentView.of(part) for part in report.components},
        )
