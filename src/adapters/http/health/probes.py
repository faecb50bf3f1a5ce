"""What load balancers and orchestrators ask: answered without credentials, and in few words."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from msgspec import Struct

from application.operations.check_health import CheckHealth, HealthReport
from application.operations.ports import HealthStatus
from application.operations.readiness import Readiness


class ReadyView(Struct, kw_only=True):
    status: str


class NotReadyView(Struct, kw_only=True):
    status: str
    reason: str


@get(
    "/healthz",
    operation_id="check_liveness",
    summary="Is the process alive?",
    tags=("operations",),
    sync_to_thread=False,
)
def check_liveness() -> dict[str, str]:
    """Answers at once and looks at nothing."""
    return {"status": "ok"}


@get(
    "/readyz",
    operation_id="check_readiness",
    summary="Does the process take requests?",
    tags=("operations",),
    responses={503: ResponseSpec(NotReadyView, description="Not now, and why.")},
)
async def check_readiness(
    readiness: NamedDependency[Readiness], check_health: NamedDependency[CheckHealth]
) -> Response[ReadyView | NotReadyView]:
    """503 with the reason until the process is ready, and while a part that it needs is missing."""
    reason = readiness.reason or _missing(await check_health())
    if reason:
        body = NotReadyView(status="unavailable", reason=reason)
        return Response(body, status_code=503, headers={"retry-after": "1"})
    return Response(ReadyView(status="ready"))


def _missing(report: HealthReport) -> str:
    return "; ".join(
        f"{part.name}: {part.health.detail or 'unhealthy'}"
        for part in report.components
        if part.health.status is HealthStatus.UNHEALTHY
    )
