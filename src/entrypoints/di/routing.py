from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.catalog.definitions import LoadedCatalog
from adapters.postgres.inference.deployment_board import PostgresDeploymentBoard
from adapters.postgres.inference.process_presence import ProcessPresence
from adapters.providers.live.registry_providers import RegistryProviders
from adapters.providers.live.signs_of_life import ListingProbe
from application.inference.attempts.attempts import Attempts
from application.inference.attempts.deployment_limits import DeploymentLimitCheck
from application.inference.routing.candidates import Candidates
from application.inference.routing.deployments import Deployments
from application.inference.routing.planner import Planner
from application.inference.routing.ports import DeploymentBoard
from application.inference.routing.probe_deployments import ProbeDeployments
from application.models.ports import ModelCatalog
from application.operations.ports import RuntimeSettings
from application.operations.records.error_reporter import ErrorReporter
from application.shared.ports import Clock
from domain.inference.routing.breaker import BreakerState
from entrypoints.database import DatabaseUrl
from entrypoints.di.observation import BreakerStates

# As the metric numbers them.
_STATES = (BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN)


class RoutingProvider(Provider):
    """Which deployment answers a call."""

    scope = Scope.APP

    planner = provide(Planner)
    attempts = provide(Attempts)
    deployment_limits = provide(DeploymentLimitCheck)

    @provide
    async def board(
        self, url: DatabaseUrl, reporter: ErrorReporter
    ) -> AsyncIterable[DeploymentBoard]:
        board = PostgresDeploymentBoard(url, reporter=reporter)
        await board.start()
        yield board
        await board.stop()

    @provide
    def deployments(
        self,
        clock: Clock,
        settings: RuntimeSettings,
        board: DeploymentBoard,
        breakers: BreakerStates,
        presence: ProcessPresence,
    ) -> Deployments:
        deployments = Deployments(
            clock=clock, settings=settings, board=board, name=str(presence.process)
        )
        breakers.source = lambda: (
            (pulse.key, _STATES.index(state)) for pulse, state in deployments.states()
        )
        return deployments

    @provide
    def probe_deployments(
        self,
        deployments: Deployments,
        loaded: LoadedCatalog,
        registered: RegistryProviders,
        settings: RuntimeSettings,
        clock: Clock,
    ) -> ProbeDeployments:
        probe = ListingProbe(loaded.providers, loaded.types, registered, clock)
        return ProbeDeployments(
            deployments=deployments, probe=probe, settings=settings, clock=clock
        )

    @provide
    def candidates(
        self, catalog: ModelCatalog, deployments: Deployments, clock: Clock
    ) -> Candidates:
        return Candidates(catalog=catalog, deployments=deployments, clock=clock)
