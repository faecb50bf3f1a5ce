from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.postgres.inference.deployment_board import PostgresDeploymentBoard
from application.inference.attempts.attempts import Attempts
from application.inference.attempts.deployment_limits import DeploymentLimitCheck
from application.inference.interception import Interception
from application.inference.routing.candidates import Candidates
from application.inference.routing.deployments import Deployments
from application.inference.routing.planner import Planner
from application.inference.routing.ports import DeploymentBoard
from application.models.ports import ModelCatalog
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from entrypoints.database import DatabaseUrl


class RoutingProvider(Provider):
    """Which deployment answers a call."""

    scope = Scope.APP

    planner = provide(Planner)
    attempts = provide(Attempts)
    deployment_limits = provide(DeploymentLimitCheck)

    @provide
    def interception(self) -> Interception:
        return Interception()

    @provide
    async def board(self, url: DatabaseUrl) -> AsyncIterable[DeploymentBoard]:
        board = PostgresDeploymentBoard(url)
        await board.start()
        yield board
        await board.stop()

    @provide
    def deployments(
        self, clock: Clock, settings: RuntimeSettings, board: DeploymentBoard
    ) -> Deployments:
        return Deployments(clock=clock, settings=settings, board=board)

    @provide
    def candidates(
        self, catalog: ModelCatalog, deployments: Deployments, clock: Clock
    ) -> Candidates:
        return Candidates(catalog=catalog, deployments=deployments, clock=clock)
