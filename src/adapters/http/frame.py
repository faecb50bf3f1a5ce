"""What surrounds every request, whatever answers it. On the hot path, so it is plain ASGI."""

import re
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import perf_counter
from types import MappingProxyType
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from adapters.http.client_origin import ClientOrigins
from adapters.http.data_plane.call_headers import call_headers
from adapters.http.data_plane.gate import RawHandler
from adapters.http.errors import translate
from adapters.http.failures import Failures
from adapters.http.limit_headers import Header, limit_headers
from adapters.http.metrics.requests import RequestMetrics
from adapters.http.request_headers import request_headers
from adapters.http.request_state import begin
from adapters.http.security_headers import policy_of, security_headers
from application.shared.correlation import correlation_id, origin
from application.shared.ports import IdGenerator

_CORRELATION_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_EVENT_STREAM = b"text/event-stream"


# The framework's application takes more than requests.
Answerer = Callable[[Any, Receive, Send], Awaitable[None]]


class Frame:
    """Gives each request its ids, its answer the headers that all answers have, and counts both.

    What is asked at a path of ``direct`` goes there past the framework, which would have nothing to
    do for it, except where a browser asks on behalf of a page: the framework knows which may.

    Handlers find ``request_id`` (a UUID) and ``correlation_id`` (text) in ``scope["state"]``; the
    correlation id is the client's where it sent an acceptable one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        direct: Mapping[str, RawHandler] = MappingProxyType({}),
        ids: IdGenerator,
        metrics: RequestMetrics,
        failures: Failures,
        hsts: bool,
        origins: ClientOrigins,
    ) -> None:
        self._app = app
        self._direct = direct
        self._failures = failures
        self._new_id = ids.new
        self._metrics = metrics
        self._origins = origins
        self._headers = security_headers(hsts=hsts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        metrics = self._metrics
        state, ids = self._identify(scope)
        status = 500
        streaming = False

        # Not a coroutine of its own: it hands out the server's, and costs nothing per event.
        def framed_send(message: Message) -> Awaitable[None]:
            nonlocal status, streaming
            if message["type"] == "http.response.start":
                status = message["status"]
                begin(state)
                own = message["headers"]
                told = (*ids, *limit_headers(state), *call_headers(state, started))
                message["headers"] = [*own, *told, *self._headers, policy_of(state)]
                if _is_event_stream(own):
                    streaming = True
                    # The client is not to wait for that.
                    get_running_loop().call_soon(metrics.stream_opened)
            return send(message)

        try:
            await self._who_answers(scope)(scope, receive, framed_send)
        except Exception as exception:
            self._report(exception, scope)
            raise
        finally:
            if streaming:
                metrics.stream_closed()
            # The framework leaves the template only where a route matched.
            route: Any = scope.get("path_template")
            metrics.count(scope["method"], route, status, perf_counter() - started)

    def _who_answers(self, scope: HTTPScope) -> Answerer:
        path = scope["path"]
        direct = self._direct.get(path)
        if direct is None or b"origin" in request_headers(scope):
            return self._app
        scope["path_template"] = path
        return direct

    def _report(self, exception: Exception, scope: HTTPScope) -> None:
        """For what nobody can be told, because the answer has begun; the server breaks it off."""
        cause = exception.__cause__
        happened = cause if isinstance(cause, Exception) else exception
        error = translate(happened, method=scope["method"], path=scope["path"])
        request_id = scope["state"]["request_id"]
        self._failures.report(error, scope, error_id=request_id, cause=happened)

    def _identify(self, scope: HTTPScope) -> tuple[dict[str, Any], tuple[Header, ...]]:
        """The request's state with its ids in it, and the headers that show them."""
        request_id = self._new_id()
        shown = str(request_id).encode()
        correlation = request_headers(scope).get(b"x-correlation-id", shown)
        if not _CORRELATION_ID.fullmatch(correlation):
            correlation = shown
        origin.set(self._origins.of(scope))
        text = correlation.decode()
        correlation_id.set(text)
        # A copy, because servers may share the state of the lifespan among requests.
        state: dict[str, Any] = {**(scope.get("state") or {})}
        state["request_id"] = request_id
        state["correlation_id"] = text
        scope["state"] = state
        return state, ((b"x-request-id", shown), (b"x-correlation-id", correlation))


def _is_event_stream(headers: Iterable[Header]) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value.startswith(_EVENT_STREAM)
    return False
