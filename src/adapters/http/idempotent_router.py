from collections.abc import Callable

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from adapters.http.data_plane.idempotency import Idempotency, key_of
from adapters.http.presented import presented
from application.identity.authenticate import Authenticate
from application.operations.idempotency.answer_once import AnswerOnce
from application.operations.readiness import Readiness


class IdempotentRouter:
    """The middleware of a router whose use cases are in the request's container."""

    def __init__(self, app: ASGIApp, readiness: Readiness, max_body_bytes: int) -> None:
        self._app = app
        self._readiness = readiness
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope)
        if key is None or not self._readiness.ready:
            await self._app(scope, receive, send)
            return
        container = scope["state"]["dishka_container"]
        idempotency = Idempotency(
            authenticate=await container.get(Authenticate),
            once=await container.get(AnswerOnce),
            max_body_bytes=self._max_body_bytes,
        )

        async def inner(_: HTTPScope, receive: Receive, send: Send) -> None:
            # The framework goes on with the scope that it has begun with.
            await self._app(scope, receive, send)

        await idempotency.answer(
            key,
            scope,  # type: ignore[arg-type]  # HTTP only
            receive,
            send,
            inner=inner,
            shown=presented(scope),
        )


def idempotent(readiness: Readiness, max_body_bytes: int) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware for a router."""

    def middleware(app: ASGIApp) -> ASGIApp:
        return IdempotentRouter(app, readiness, max_body_bytes)

    return middleware
