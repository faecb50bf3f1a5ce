"""Assembling the HTTP application. What it needs besides the container is given as values."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from dishka import AsyncContainer
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from adapters.http.client_origin import ClientOrigins
from adapters.http.controllers import GUARDED, OPEN
from adapters.http.data_plane.call_headers import CALL_HEADER_NAMES
from adapters.http.data_plane.gate import RawHandler
from adapters.http.docs.assets import read_asset
from adapters.http.exception_handlers import error_response
from adapters.http.failures import Failures
from adapters.http.frame import Frame
from adapters.http.guards import authenticated, known_query, only_when_ready, provide_actor
from adapters.http.health.controller import HealthController
from adapters.http.health.probes import check_liveness, check_readiness
from adapters.http.health.schemas import ServerInfo
from adapters.http.idempotent_router import idempotent
from adapters.http.limit_headers import LIMIT_HEADER_NAMES
from adapters.http.metrics.controller import metrics_handler
from adapters.http.metrics.exposition import Exposition
from adapters.http.metrics.requests import RequestMetrics
from adapters.http.openapi import build_openapi_config
from adapters.http.openapi_operations import SECURITY, ExtraOperation
from adapters.http.pages.handlers import PAGES
from adapters.http.problem_pages import get_problem, list_problems
from adapters.http.rate_guards import within_api_limit
from adapters.http.request_container import in_request_container
from adapters.http.sessions.cookie import SessionCookies
from adapters.http.strict_request import StrictRequest
from adapters.http.unshared_router import UnsharedRouter
from application.operations.check_health import CheckHealth
from application.operations.readiness import Readiness
from application.shared.ports import Clock, IdGenerator

GAUGE_REFRESH_S = 5.0

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpParts:
    """The objects of the process that the application is built from."""

    ids: IdGenerator
    clock: Clock
    failures: Failures
    readiness: Readiness
    check_health: CheckHealth
    exposition: Exposition
    request_metrics: RequestMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """``hsts`` and ``secure_cookies`` are for production and ``debug`` for development;
    ``metrics_token`` closes ``/metrics`` to everybody without it. ``trusted_proxies`` are addresses
    and networks."""

    version: str
    max_body_bytes: int
    docs: bool = True
    hsts: bool = False
    secure_cookies: bool = False
    debug: bool = False
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    metrics_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlane:
    """The handlers under ``/v1`` and what the API's document says of them. ``direct`` are those
    that are asked past the framework, by their paths."""

    route_handlers: Sequence[ControllerRouterHandler] = ()
    direct: Mapping[str, RawHandler] = field(default_factory=dict)
    operations: Sequence[ExtraOperation] = field(default=())


def create_app(
    container: AsyncContainer,
    *,
    parts: HttpParts,
    options: HttpOptions,
    data_plane: DataPlane,
    lifespan: Sequence[Lifespan] = (),
) -> Frame:
    """The whole HTTP side of Stoa as one ASGI application."""
    server = ServerInfo(version=options.version, started=parts.clock.monotonic(), clock=parts.clock)
    app = Litestar(
        route_handlers=[*_route_handlers(container, parts, options), *data_plane.route_handlers],
        dependencies={
            "server": _constant(server),
            "readiness": _constant(parts.readiness),
            "check_health": _constant(parts.check_health),
            "session_cookies": _constant(SessionCookies(options.secure_cookies)),
        },
        exception_handlers={
            Exception: error_response(parts.failures, parts.ids, debug=options.debug)
        },
        openapi_config=_openapi(data_plane, options),
        cors_config=_cors(options.cors_origins),
        request_class=StrictRequest,
        request_max_body_size=options.max_body_bytes,
        lifespan=[*lifespan, _refreshed_gauges(parts.exposition)],
        logging_config=None,
    )
    return Frame(
        app,
        direct=data_plane.direct,
        ids=parts.ids,
        metrics=parts.request_metrics,
        failures=parts.failures,
        hsts=options.hsts,
        origins=ClientOrigins(options.trusted_proxies),
    )


def _route_handlers(
    container: AsyncContainer, parts: HttpParts, options: HttpOptions
) -> list[ControllerRouterHandler]:
    guarded = UnsharedRouter(
        "/",
        route_handlers=[],
        guards=[only_when_ready(parts.readiness), authenticated, within_api_limit],
        dependencies={"actor": Provide(provide_actor)},
        security=SECURITY,
    )
    for controller in GUARDED:
        guarded.register(controller)
    opened = UnsharedRouter("/", route_handlers=[*OPEN], guards=[only_when_ready(parts.readiness)])
    api = UnsharedRouter(
        "/api/v1",
        route_handlers=[HealthController, guarded, opened],
        guards=[known_query],
        middleware=[
            in_request_container(container),
            idempotent(parts.readiness, options.max_body_bytes),
        ],
    )
    handlers: list[ControllerRouterHandler] = [
        api,
        check_liveness,
        check_readiness,
        metrics_handler(parts.exposition, options.metrics_token),
        list_problems,
        get_problem,
        *PAGES,
    ]
    return [*handlers, read_asset] if options.docs else handlers


def _openapi(data_plane: DataPlane, options: HttpOptions) -> OpenAPIConfig | None:
    if not options.docs:
        return None
    return build_openapi_config(data_plane.operations, version=options.version)


def _constant(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)


def _cors(origins: Sequence[str]) -> CORSConfig | None:
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=[
            *("x-request-id", "request-id", "x-correlation-id", "retry-after", "retry-after-ms"),
            "idempotent-replayed",
            *LIMIT_HEADER_NAMES,
            *CALL_HEADER_NAMES,
        ],
    )


def _refreshed_gauges(exposition: Exposition) -> Lifespan:
    """Keeps a worker's gauges fresh, since another worker may be the one that is asked."""

    @asynccontextmanager
    async def refreshing(_: Litestar) -> AsyncIterator[None]:
        if not exposition.shared:
            yield
            return
        task = asyncio.create_task(_refresh_for_ever(exposition))
        try:
            yield
        finally:
            task.cancel()

    return refreshing


async def _refresh_for_ever(exposition: Exposition) -> None:
    while True:
        exposition.refresh()
        await asyncio.sleep(GAUGE_REFRESH_S)
