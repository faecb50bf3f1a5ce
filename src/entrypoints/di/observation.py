from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version

from dishka import AsyncContainer, Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.http.metrics.calls import PrometheusCallMetrics
from adapters.http.metrics.exposition import Exposition
from adapters.postgres.health import DatabaseProbe, LedgerProbe
from adapters.providers.health import LocalModelsProbe, RegistryProvidersProbe
from adapters.providers.live.registry_providers import RegistryProviders
from adapters.providers.registry import ConfiguredProviders
from application.models.ports import ModelCatalog
from application.operations.check_health import CheckHealth
from application.operations.ports import CallObserver, HealthProbe
from application.shared.ports import Clock
from entrypoints.di.allowances import StoreOfLimits


@dataclass(slots=True)
class Backlog:
    """How many ledger rows wait; nothing waits before the ledger is open."""

    source: Callable[[], int] = int

    def count(self) -> int:
        return self.source()


@dataclass(slots=True)
class BreakerStates:
    """The deployments with what their breakers do; there are none before the first call."""

    source: Callable[[], Iterable[tuple[str, int]]] = tuple

    def read(self) -> Iterable[tuple[str, int]]:
        return self.source()


class ObservationProvider(Provider):
    """What is measured and shown to operators."""

    scope = Scope.APP

    @provide
    def backlog(self) -> Backlog:
        return Backlog()

    @provide
    def breaker_states(self) -> BreakerStates:
        return BreakerStates()

    @provide
    def exposition(
        self, backlog: Backlog, breakers: BreakerStates, limits: StoreOfLimits
    ) -> Exposition:
        return Exposition(
            version=version("stoa"),
            ledger_backlog=backlog.count,
            breakers=breakers.read,
            limit_store=limits.probe,
        )

    @provide
    def call_observer(self, exposition: Exposition, catalog: ModelCatalog) -> CallObserver:
        return PrometheusCallMetrics(exposition.registry, catalog)

    @provide
    def check_health(
        self, container: AsyncContainer, backlog: Backlog, clock: Clock, limits: StoreOfLimits
    ) -> CheckHealth:
        """The probes fetch what they look at when they look, since it may not be up before."""
        probes: tuple[HealthProbe, ...] = (
            DatabaseProbe(lambda: container.get(AsyncEngine)),
            LedgerProbe(backlog.count),
            LocalModelsProbe(lambda: container.get(ConfiguredProviders)),
            RegistryProvidersProbe(lambda: container.get(RegistryProviders)),
        )
        if limits.probe is not None:
            probes = (*probes, limits.probe)
        return CheckHealth(probes, clock)
