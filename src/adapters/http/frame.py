"""What surrounds every request, whatever answers it. On the hot path, so it is plain ASGI."""

import re
from collections.abc import Awaitable
from time import perf_counter
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from adapters.http.client_origin import ClientOrigins
from adapters.http.data_plane.call_headers import call_headers
from adapters.http.errors import translate
from adapters.http.failures import Failures
from adapters.http.limit_headers import limit_headers
from adapters.http.metrics.requests import RequestMetrics
from adapters.http.security_headers import policy_of, security_headers
from application.shared.correlation import correlation_id, origin
from application.shared.ports import IdGenerator

_CORRELATION_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_EVENT_STREAM = b"text/event-stream"


class Frame:
    """Gives each request its ids, its answer the headers that all answers have, and counts both.

    Handlers find ``request_id`` (a UUID) and ``correlation_id`` (text) in ``scope["state"]``; the
    correlation id is the client's where it sent an acceptable one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        ids: IdGenerator,
        metrics: RequestMetrics,
        failures: Failures,
        hsts: bool,
        origins: ClientOrigins,
    ) -> None:
        self._app = app
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
                headers = [
                    *message["headers"],
                    *ids,
                    *limit_headers(state),
                    *call_headers(state, started),
                    *self._headers,
                    policy_of(state),
                ]
                message["headers"] = headers
                if _is_event_stream(headers):
                    streaming = True
                    metrics.stream_opened()
            return send(message)

        try:
            await self._app(scope, receive, framed_send)
        except Exception as exception:
            self._report(exception, scope)
            raise
        finally:
            if streaming:
                metrics.stream_closed()
            # The framework leaves the template only where a route matched.
            route: Any = scope.get("path_template")
            metrics.count(scope["method"], route, status, perf_counter() - started)

    def _report(self, exception: Exception, scope: HTTPScope) -> None:
        """For what nobody can be told, because the answer has begun; the server breaks it off."""
        cause = exception.__cause__
        happened = cause if isinstance(cause, Exception) else exception
        error = translate(happened, method=scope["method"], path=scope["path"])
        request_id = scope["state"]["request_id"]
        self._failures.report(error, scope, error_id=request_id, cause=happened)

    def _identify(self, scope: HTTPScope) -> tuple[dict[str, Any], tuple[tuple[bytes, bytes], ...]]:
        """The request's state with its ids in it, and the headers that show them."""
        request_id = self._new_id()
        shown = str(request_id).encode()
        correlation = shown
        user_agent = forwarded_for = None
        for name, value in scope["headers"]:
            if name == b"x-correlation-id":
                if _CORRELATION_ID.fullmatch(value):
                    correlation = value
            elif name == b"user-agent":
                user_agent = value
            elif name == b"x-forwarded-for":
                forwarded_for = value if forwarded_for is None else forwarded_for + b"," + value
        origin.set(self._origins.of(scope, user_agent, forwarded_for))
        text = correlation.decode()
        correlation_id.set(text)
        # A copy, because servers may share the state of the lifespan among requests.
        state: dict[str, Any] = {**(scope.get("state") or {})}
        state["request_id"] = request_id
        state["correlation_id"] = text
        scope["state"] = state
        return state, ((b"x-request-id", shown), (b"x-correlation-id", correlation))


def _is_event_stream(headers: list[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value.startswith(_EVENT_STREAM)
    return False
