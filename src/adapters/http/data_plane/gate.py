"""The data plane's routes: closed until the server is up, and for ``POST`` alone."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from http import HTTPMethod

import structlog
from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send

from adapters.http.data_plane.body import ClientGoneError
from adapters.http.data_plane.door import Exchange, InferenceDoor, send_whole, stopping
from adapters.http.data_plane.idempotency import BROKE_OFF, Idempotency, key_of
from adapters.http.data_plane.served import Table
from adapters.http.errors import MethodNotAllowedError
from adapters.http.failures import Failures
from application.inference.ports import JSON, Operation
from application.operations.readiness import Readiness
from domain.shared.errors import StoaError, UnavailableError

log = structlog.get_logger()

RawHandler = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gate:
    """Stands before the door, which can only be built when the database is there. ``table`` has the
    operations that are served."""

    def __init__(self, readiness: Readiness, failures: Failures, table: Table) -> None:
        self.table = table
        self._readiness = readiness
        self._failures = failures
        self._door: InferenceDoor | None = None
        self._idempotency: Idempotency | None = None

    def open(self, door: InferenceDoor, idempotency: Idempotency | None = None) -> None:
        """Without ``idempotency``, keys of clients are not looked at."""
        self._door = door
        self._idempotency = idempotency

    async def answer(
        self, operation: Operation, scope: HTTPScope, receive: Receive, send: Send
    ) -> None:
        state = scope["state"]
        exchange = Exchange(
            operation=operation,
            served=self.table[operation],
            request_id=state["request_id"],
            correlation_id=state["correlation_id"],
            receive=receive,
            send=send,
            report=partial(self._failures.report, scope=scope, error_id=state["request_id"]),
            break_off=partial(state.__setitem__, BROKE_OFF, True),
        )
        try:
            if scope["method"] != HTTPMethod.POST:
                raise MethodNotAllowedError(scope["method"], scope["path"], HTTPMethod.POST)
            if self._door is None or not self._readiness.ready:
                reason = self._readiness.reason
                raise UnavailableError(f"Stoa is not ready: {reason}.", retry_after=1)
            await self._answer(self._door, exchange, scope)
        except StoaError as error:
            await _send_error(exchange, error)
            exchange.report(error)
        except CancelledError:
            # The grace for running calls is over. Their clients would have been let go.
            await _send_error(exchange, stopping())
        except ClientGoneError:
            log.debug("request.abandoned")

    async def _answer(self, door: InferenceDoor, exchange: Exchange, scope: HTTPScope) -> None:
        key = key_of(scope)
        if key is None or self._idempotency is None:
            await door.answer(exchange, scope)
            return

        async def inner(receive: Receive, send: Send) -> None:
            await door.answer(replace(exchange, receive=receive, send=send), scope)

        shown = exchange.served.manner.presented(scope)
        await self._idempotency.answer(
            key, scope, exchange.receive, exchange.send, inner=inner, shown=shown
        )


async def _send_error(exchange: Exchange, error: StoaError) -> None:
    manner = exchange.served.manner
    answer = manner.error(error, exchange.request_id)
    headers = [*answer.headers, *manner.headers(exchange.request_id)]
    await send_whole(exchange.send, answer.status, headers, answer.body, JSON)


def inference_handlers(gate: Gate) -> list[ASGIRouteHandler]:
    """One raw ASGI route for each operation."""
    return [_handler(gate, operation) for operation in gate.table]


def _handler(gate: Gate, operation: Operation) -> ASGIRouteHandler:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.answer(operation, scope, receive, send)  # type: ignore[arg-type]  # HTTP only

    return asgi(f"/v1/{operation}", copy_scope=False)(handle)
