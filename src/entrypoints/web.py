"""The HTTP application of a server process, with the life of the process tied to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from dishka import AsyncContainer
from litestar import Litestar
from litestar.di import Provide

from adapters.http.anthropic.operations import OPERATIONS as ANTHROPIC_OPERATIONS
from adapters.http.anthropic.served import anthropic_table
from adapters.http.app import DataPlane, HttpOptions, HttpParts, create_app
from adapters.http.data_plane.gate import Gate, inference_handlers
from adapters.http.failures import Failures
from adapters.http.frame import Frame
from adapters.http.guards import authenticated, only_when_ready, provide_actor
from adapters.http.metrics.exposition import Exposition
from adapters.http.metrics.requests import RequestMetrics
from adapters.http.openai.models import model_handlers
from adapters.http.openai.operations import OPERATIONS
from adapters.http.openai.served import OPENAI
from adapters.http.openapi_operations import SECURITY
from adapters.http.rate_guards import tells_limits
from adapters.http.request_container import in_request_container
from adapters.http.responses.controller import ResponsesController
from adapters.http.responses.operations import RESPONSES_OPERATIONS
from adapters.http.responses.served import RESPONSES
from adapters.http.unshared_router import UnsharedRouter
from application.identity.found_first_team import ShowKey
from application.operations.check_health import CheckHealth
from application.operations.readiness import Readiness
from application.operations.records.error_reporter import ErrorReporter
from application.shared.ports import Clock, IdGenerator
from entrypoints.lifecycle import Lifecycle
from entrypoints.settings import Settings
from entrypoints.welcome import Welcome

OnReady = Callable[[Welcome], None]
OnFailure = Callable[[Exception], None]


async def build_app(
    container: AsyncContainer,
    settings: Settings,
    *,
    on_ready: OnReady,
    on_failure: OnFailure,
    show_key: ShowKey | None = None,
) -> Frame:
    """The application; its start-up returns at once and the rest follows in the background."""
    readiness = Readiness()
    parts = await _parts(container, readiness)
    gate = Gate(readiness, parts.failures, {**OPENAI, **RESPONSES, **anthropic_table(parts.clock)})
    lifecycle = Lifecycle(
        container=container,
        readiness=readiness,
        gate=gate,
        reporter=await container.get(ErrorReporter),
        on_ready=on_ready,
        on_failure=on_failure,
        database_wait_s=settings.database_wait_seconds,
        show_key=show_key,
    )
    return create_app(
        container,
        parts=parts,
        options=_options(settings),
        data_plane=DataPlane(
            direct=gate.answers(),
            route_handlers=(*inference_handlers(gate), _models(container, readiness, parts.clock)),
            operations=(*OPERATIONS, *RESPONSES_OPERATIONS, *ANTHROPIC_OPERATIONS),
        ),
        lifespan=[_living(lifecycle)],
    )


def _living(lifecycle: Lifecycle) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(_: Litestar) -> AsyncIterator[None]:
        lifecycle.start()
        try:
            yield
        finally:
            await lifecycle.stop()

    return living


async def _parts(container: AsyncContainer, readiness: Readiness) -> HttpParts:
    exposition = await container.get(Exposition)
    return HttpParts(
        ids=await container.get(IdGenerator),
        clock=await container.get(Clock),
        failures=Failures(await container.get(ErrorReporter)),
        readiness=readiness,
        check_health=await container.get(CheckHealth),
        exposition=exposition,
        request_metrics=RequestMetrics(exposition.registry),
    )


def _options(settings: Settings) -> HttpOptions:
    return HttpOptions(
        version=version("stoa"),
        max_body_bytes=settings.max_body_bytes,
        docs=settings.docs_enabled,
        hsts=settings.is_production,
        secure_cookies=settings.is_production,
        debug=not settings.is_production,
        cors_origins=settings.cors_origins,
        trusted_proxies=settings.trusted_proxies,
        metrics_token=settings.metrics_token,
    )


def _models(container: AsyncContainer, readiness: Readiness, clock: Clock) -> UnsharedRouter:
    return UnsharedRouter(
        "/v1",
        route_handlers=[*model_handlers(clock.now()), ResponsesController],
        guards=[only_when_ready(readiness), authenticated, tells_limits],
        dependencies={"actor": Provide(provide_actor)},
        middleware=[in_request_container(container)],
        security=SECURITY,
    )
