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
from adapters.http.data_plane.door import BrokenOffError, InferenceDoor, stopping
from adapters.http.data_plane.exchange import Exchange
from adapters.http.data_plane.idempotency import Idempotency, key_of
from adapters.http.data_plane.served import Table
from adapters.http.data_plane.whole_answer import send_whole
from adapters.http.errors import MethodNotAllowedError, translate
from adapters.http.failures import Failures
from adapters.http.request_state import has_begun
from application.inference.ports import JSON, Operation
from application.operations.readiness import Readiness
from domain.shared.errors import StoaError, UnavailableError

log = structlog.get_logger()

_POST = HTTPMethod.POST.value

RawHandler = Callable[[HTTPScope, Receive, Send], Awaitable[None]]


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

    def answers(self) -> dict[str, RawHandler]:
        """What answers at each path."""
        return {f"/v1/{operation}": partial(self.answer, operation) for operation in self.table}

    async def answer(
        self, operation: Operation, scope: HTTPScope, receive: Receive, send: Send
    ) -> None:
        state = scope["state"]
        exchange = Exchange(
            operation=operation,
            served=self.table[operation],
            scope=scope,
            receive=receive,
            send=send,
            failures=self._failures,
            state=state,
            request_id=state["request_id"],
            correlation_id=state["correlation_id"],
        )
        try:
            door = self._open_door(scope)
            key = key_of(scope)
            if key is None or self._idempotency is None:
                await door.answer(exchange)
            else:
                await _answer_once(self._idempotency, key, door, exchange)
        except StoaError as error:
            await _send_error(exchange, error)
            exchange.report(error)
        except CancelledError:
            # The grace for running calls is over. Their clients would have been let go.
            await _send_error(exchange, stopping())
        except ClientGoneError:
            log.debug("request.abandoned")
        except BrokenOffError:
            # Its cause is on record. The server ends the connection of an answer without an end.
            log.debug("answer.broken_off")
        except Exception as exception:
            if has_begun(exchange.state):
                raise
            failure = translate(exception, method=scope["method"], path=scope["path"])
            await _send_error(exchange, failure)
            exchange.report(failure, cause=exception)

    def _open_door(self, scope: HTTPScope) -> InferenceDoor:
        if scope["method"] != _POST:
            raise MethodNotAllowedError(scope["method"], scope["path"], _POST)
        if self._door is None or not self._readiness.ready:
            reason = self._readiness.reason
            raise UnavailableError(f"Stoa is not ready: {reason}.", retry_after=1)
        return self._door


async def _answer_once(
    idempotency: Idempotency, key: str, door: InferenceDoor, exchange: Exchange
) -> None:
    async def inner(scope: HTTPScope, receive: Receive, send: Send) -> None:
        await door.answer(replace(exchange, scope=scope, receive=receive, send=send))

    shown = exchange.served.manner.presented(exchange.scope)
    await idempotency.answer(
        key, exchange.scope, exchange.receive, exchange.send, inner=inner, shown=shown
    )


async def _send_error(exchange: Exchange, error: StoaError) -> None:
    manner = exchange.served.manner
    answer = manner.error(error, exchange.request_id)
    headers = [*answer.headers, *manner.headers(exchange.request_id)]
    await send_whole(exchange.send, answer.status, headers, answer.body, JSON)


def inference_handlers(gate: Gate) -> list[ASGIRouteHandler]:
    """The framework's routes, for those requests that need something of it."""
    return [_handler(path, answer) for path, answer in gate.answers().items()]


def _handler(path: str, answer: RawHandler) -> ASGIRouteHandler:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope, receive, send)  # type: ignore[arg-type]  # HTTP only

    return asgi(path, copy_scope=False)(handle)
