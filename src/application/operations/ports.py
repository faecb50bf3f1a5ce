from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.inference.call import Call


class DatabaseServer(Protocol):
    """The Postgres that Stoa stores everything in: one that it runs itself, or somebody else's."""

    async def start(self) -> str:
        """Bring the server up, or take over one left running by a killed process, and return its
        URL (``postgresql://…``, without a driver name).

        Raises ``DataDirectoryInUseError`` when another Stoa owns the data directory,
        ``DataDirectoryError`` when it cannot be written, ``DatabaseServerError`` when the server
        does not come up (its message quotes the last log line).
        """
        ...

    async def stop(self) -> None:
        """Stop the server if it was started here; idempotent."""
        ...


class HealthStatus(StrEnum):
    """``degraded`` still serves, with something missing; ``unhealthy`` does not serve."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentHealth:
    """How one part of Stoa is; ``detail`` is safe to show to whoever may ask."""

    status: HealthStatus = HealthStatus.HEALTHY
    detail: str | None = None


class HealthProbe(Protocol):
    """Looks at one part of Stoa."""

    @property
    def name(self) -> str:
        """``database``, ``ledger``, …: unique among the probes."""
        ...

    async def check(self) -> ComponentHealth:
        """Look now. An exception or a long silence counts as unhealthy."""
        ...


class CallObserver(Protocol):
    """Sees the outcome of every model call once, on the path of the call: it must be quick, and it
    never raises."""

    def observe(self, call: Call) -> None: ...
