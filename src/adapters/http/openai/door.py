"""The data plane's door: OpenAI's wire format on one side, the use cases on the other.

It is plain ASGI, without the framework's request and response objects, because it is the hot path.
"""

from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPMethod
from time import perf_counter
from uuid import UUID

from litestar.types import HTTPScope, Receive, Send

from adapters.http.errors import UnsupportedMediaTypeError, translate
from adapters.http.limit_headers import tell_what_remains, telling
from adapters.http.openai.event_stream import EventStreamResponse
from adapters.http.openai.hangup import Hangup
from adapters.http.openai.requests import AnyRequest, hint, parse
from adapters.http.presented import presented
from adapters.http.problems import openai_error
from application.identity.authenticate import Authenticate
from application.inference.admission import InvokeModelCommand
from application.inference.call_allowances import TellStandings
from application.inference.invoke_model import InvokeModel
from application.inference.ports import Operation
from application.inference.refuse_call import RefuseCall, RefuseCallCommand
from application.inference.show_limits import ShowLimits
from application.inference.stream_model import AnswerStream, StreamModel
from application.shared.actor import Actor
from domain.shared.errors import FunctionalError, StoaError, TooLargeError, UnavailableError
from domain.shared.ids import CallId

PLAIN_ENCODINGS = (b"", b"identity")
JSON_TYPE = (b"content-type", b"application/json")

# After so long a wait for the body, what was shown with it may be worth nothing any more.
SLOW_BODY_S = 0.1

Report = Callable[..., None]


class ClientGoneError(Exception):
    """The client went away before it had said what it wants: there is no call to record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request on the wire. ``report`` takes an error that it fails with, and its ``cause``."""

    operation: Operation
    request_id: UUID
    correlation_id: str
    receive: Receive
    send: Send
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceDoor:
    """Answers ``POST /v1/{operation}`` for all operations."""

    authenticate: Authenticate
    invoke: InvokeModel
    stream: StreamModel
    refuse: RefuseCall
    show_limits: ShowLimits
    max_body_bytes: int
    heartbeat_s: float

    async def answer(self, exchange: Exchange, scope: HTTPScope) -> None:
        """Raises ``StoaError`` for what is refused or fails before the answer has begun."""
        actor = await self._who_asks(scope)
        state = scope["state"]
        try:
            await self._answer(exchange, scope, actor)
        except FunctionalError:
            await tell_what_remains(state, actor, self.show_limits)
            raise

    async def _who_asks(self, scope: HTTPScope) -> Actor:
        shown = presented(scope)
        actor = await self.authenticate(shown.bearer, cookie=shown.cookie)
        scope["state"]["actor"] = actor
        return actor

    async def _answer(self, exchange: Exchange, scope: HTTPScope, actor: Actor) -> None:
        started = perf_counter()
        body = b""
        try:
            body = await self._read(scope, exchange.receive)
            request = parse(exchange.operation, body)
        except FunctionalError as error:
            elapsed_ms = (perf_counter() - started) * 1000
            await self.refuse(_refusal(exchange, actor, body, error, elapsed_ms))
            raise
        if perf_counter() - started > SLOW_BODY_S:
            actor = await self._who_asks(scope)
        tell = telling(scope["state"]) if actor.allowances else None
        command = _command(exchange, actor, request, body, tell)
        if command.stream:
            await self._stream(exchange, command)
            return
        async with Hangup(exchange.receive):
            answer = await self.invoke(command)
            await send_json(exchange.send, 200, [], answer.body)

    async def _stream(self, exchange: Exchange, command: InvokeModelCommand) -> None:
        response = EventStreamResponse(exchange.send, self.heartbeat_s)
        try:
            async with Hangup(exchange.receive):
                await self._relay(exchange, response, command)
        except CancelledError:
            if not response.started:
                raise
            await response.write(event_of(stopping()))
            await response.finish()
        finally:
            response.stop()

    async def _relay(
        self, exchange: Exchange, response: EventStreamResponse, command: InvokeModelCommand
    ) -> None:
        answer: AnswerStream | None = None
        try:
            answer = await self.stream(command)
            async for block in answer:
                await response.write(block)
        except Exception as exception:
            if not response.started:
                raise
            # The status is sent already.
            error = translate(exception, method=HTTPMethod.POST, path=f"/v1/{exchange.operation}")
            await response.write(event_of(error))
            exchange.report(error, cause=exception)
        finally:
            if answer is not None:
                await answer.aclose()
        await response.finish()

    async def _read(self, scope: HTTPScope, receive: Receive) -> bytes:
        """The whole body; raises ``TooLargeError`` without reading more than is allowed, and
        ``UnsupportedMediaTypeError`` for a compressed one."""
        length, encoding = _length_and_encoding(scope)
        if length > self.max_body_bytes:
            raise self._too_large()
        if encoding not in PLAIN_ENCODINGS:
            raise UnsupportedMediaTypeError(
                "The request body is encoded (see its 'Content-Encoding'), which is not supported. "
                "Send it as plain JSON."
            )
        message = await receive()
        body: bytes = message.get("body", b"")  # type: ignore[assignment]
        if message.get("more_body"):
            buffer = bytearray(body)
            while message.get("more_body"):
                message = await receive()
                buffer += message.get("body", b"")  # type: ignore[arg-type]
                if len(buffer) > self.max_body_bytes:
                    raise self._too_large()
            body = bytes(buffer)
        if len(body) > self.max_body_bytes:
            raise self._too_large()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        return body

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"The request body is larger than {self.max_body_bytes} bytes.")


def _length_and_encoding(scope: HTTPScope) -> tuple[int, bytes]:
    length, encoding = 0, b""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"content-encoding":
            encoding = value.lower()
    return length, encoding


def _refusal(
    exchange: Exchange, actor: Actor, body: bytes, error: StoaError, elapsed_ms: float
) -> RefuseCallCommand:
    model, stream = hint(body)
    return RefuseCallCommand(
        actor=actor,
        call_id=CallId(exchange.request_id),
        correlation_id=exchange.correlation_id,
        operation=exchange.operation,
        error=error,
        elapsed_ms=elapsed_ms,
        model=model,
        stream=stream,
    )


def _command(
    exchange: Exchange,
    actor: Actor,
    request: AnyRequest,
    body: bytes,
    tell: TellStandings | None,
) -> InvokeModelCommand:
    options = request.stream_options
    return InvokeModelCommand(
        actor=actor,
        call_id=CallId(exchange.request_id),
        correlation_id=exchange.correlation_id,
        operation=exchange.operation,
        model=request.model,
        body=body,
        stream=bool(request.stream),
        include_usage=options is not None and bool(options.include_usage),
        max_output_tokens=request.output_limit,
        choices=request.choices,
        attachments=request.attachments,
        offers_tools=request.offers_tools,
        asks_retrieval=request.asks_retrieval,
        tell_standings=tell,
    )


def event_of(error: StoaError) -> bytes:
    """The error as an event, on which OpenAI's clients raise."""
    return b"data: " + openai_error(error).body + b"\n\n"


def stopping() -> UnavailableError:
    """What a call is told that was cancelled, and not by its client."""
    return UnavailableError("The server is stopping.", retry_after=1)


async def send_json(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Answer with a whole JSON document."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [JSON_TYPE, length, *headers],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
