from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency, Provide

from adapters.http.guards import authenticated, provide_actor
from adapters.http.health.schemas import DetailedHealthView, HealthView, ServerInfo
from adapters.http.openapi_operations import SECURITY
from application.operations.check_health import CheckHealth
from application.operations.inspect_health import InspectHealth
from application.operations.readiness import Readiness
from application.shared.actor import Actor


class HealthController(Controller):
    path = "/health"
    tags = ("operations",)

    @get(operation_id="get_health", summary="How is the server?")
    async def get_health(
        self,
        server: NamedDependency[ServerInfo],
        readiness: NamedDependency[Readiness],
        check_health: NamedDependency[CheckHealth],
    ) -> HealthView:
        """`healthy`, `degraded`, `unhealthy`, or `starting`."""
        status = (await check_health()).status if readiness.ready else "starting"
        return HealthView(
            status=status,
            timestamp=server.clock.now(),
            version=server.version,
            uptime=server.uptime,
        )

    @get(
        "/detailed",
        operation_id="get_detailed_health",
        summary="How is every part of the server?",
        guards=[authenticated],
        dependencies={"actor": Provide(provide_actor)},
        security=SECURITY,
    )
    async def get_detailed_health(
        self,
        actor: NamedDependency[Actor],
        server: NamedDependency[ServerInfo],
        use_case: FromDishka[InspectHealth],
    ) -> DetailedHealthView:
        """The state of each part and how long it took to look at it."""
        return DetailedHealthView.of(await use_case(actor), server)
