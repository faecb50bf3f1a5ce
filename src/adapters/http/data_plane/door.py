"""The data plane's door: a client's wire format on one side, the use cases on the other.

It is plain ASGI, without the framework's request and response objects, because it is the hot path.
"""

from asyncio import CancelledError, get_running_loop
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPMethod
from time import perf_counter

from adapters.dialects.decoding import understood
from adapters.http.data_plane.asked import Asked
from adapters.http.data_plane.body import content_type_of, read_body
from adapters.http.data_plane.call_headers import (
    Wishes,
    late_headers,
    tags_in,
    traced,
    wishes_in,
)
from adapters.http.data_plane.event_stream import EventStreamResponse
from adapters.http.data_plane.exchange import Exchange
from adapters.http.data_plane.hangup import Hangup
from adapters.http.data_plane.hint import hint
from adapters.http.data_plane.use_cases import Pieces, UseCases
from adapters.http.data_plane.whole_answer import send_whole
from adapters.http.errors import translate
from adapters.http.limit_headers import limit_headers, tell_what_remains
from application.identity.authenticate import Authenticate
from application.inference.call_allowances import TellStandings
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import EVENTS, JSON, UPLOADS, Operation, ProviderAnswer
from application.inference.refuse_call import RefuseCall, RefuseCallCommand
from application.inference.show_limits import ShowLimits
from application.shared.actor import Actor
from domain.shared.errors import FunctionalError, StoaError, UnavailableError
from domain.shared.ids import CallId

# After so long a wait for the body, what was shown with it may be worth nothing any more.
SLOW_BODY_S = 0.1


class BrokenOffError(Exception):
    """An answer has begun that cannot be ended, and its format has no word for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceDoor:
    """Answers ``POST /v1/{operation}`` for all operations; ``special`` are the use cases of those
    that have their own."""

    authenticate: Authenticate
    usual: UseCases
    refuse: RefuseCall
    show_limits: ShowLimits
    max_body_bytes: int
    heartbeat_s: float
    special: Mapping[Operation, UseCases] = field(default_factory=dict)

    async def answer(self, exchange: Exchange) -> None:
        """Raises ``StoaError`` for what is refused or fails before the answer has begun."""
        actor = await self._who_asks(exchange)
        try:
            await self._answer(exchange, actor)
        except FunctionalError:
            tell = _telling(exchange)
            await tell_what_remains(exchange.state, actor, self.show_limits, tell)
            raise

    async def _who_asks(self, exchange: Exchange) -> Actor:
        shown = exchange.served.manner.presented(exchange.scope)
        actor = await self.authenticate(shown.bearer, cookie=shown.cookie)
        exchange.state["actor"] = actor
        return actor

    async def _answer(self, exchange: Exchange, actor: Actor) -> None:
        started = perf_counter()
        body, content_type = b"", content_type_of(exchange.scope)
        try:
            body = await read_body(exchange.scope, exchange.receive, self.max_body_bytes)
            asked = understood(exchange.served.read, body, content_type)
            wishes = wishes_in(exchange.scope)
        except FunctionalError as error:
            elapsed_ms = (perf_counter() - started) * 1000
            await self.refuse(_refusal(exchange, actor, body, error, elapsed_ms))
            raise
        if perf_counter() - started > SLOW_BODY_S:
            actor = await self._who_asks(exchange)
        command = _command(
            exchange, asked, wishes, actor=actor, body=body, content_type=content_type
        )
        # Written while the provider thinks.
        get_running_loop().call_soon(limit_headers, exchange.state)
        special = self.special.get(exchange.operation)
        if command.stream:
            await self._stream(exchange, special or self.usual, command)
            return
        async with Hangup(exchange.scope, exchange.receive):
            if special is None:
                command.deliver = partial(_deliver, exchange)
                await self.usual.invoke(command)
            else:
                await _deliver(exchange, await special.invoke(command))

    async def _stream(
        self, exchange: Exchange, use_cases: UseCases, command: InvokeModelCommand
    ) -> None:
        response = self._response(exchange)
        try:
            async with Hangup(exchange.scope, exchange.receive):
                await self._relay(exchange, response, use_cases, command)
        except CancelledError:
            if not response.started:
                raise
            await self._break_off(exchange, response, stopping())
            await response.finish()
        finally:
            response.stop()

    async def _relay(
        self,
        exchange: Exchange,
        response: EventStreamResponse,
        use_cases: UseCases,
        command: InvokeModelCommand,
    ) -> None:
        answer: Pieces | None = None
        try:
            answer = await use_cases.stream(command)
            if response.started:
                await _tell_late(exchange, response)
            if not exchange.served.is_events:
                response.content_type = answer.source.report.content_type
            async for block in answer:
                await response.write(block)
        except Exception as exception:
            if not response.started:
                raise
            # The status is sent already.
            error = translate(exception, method=HTTPMethod.POST, path=f"/v1/{exchange.operation}")
            exchange.report(error, cause=exception)
            if answer is None and response.started:
                await _tell_late(exchange, response)
            await self._break_off(exchange, response, error)
        finally:
            if answer is not None:
                await answer.aclose()
        await response.finish()

    def _response(self, exchange: Exchange) -> EventStreamResponse:
        manner = exchange.served.manner
        return EventStreamResponse(
            exchange.send,
            self.heartbeat_s if exchange.served.is_events else None,
            ping=manner.ping,
            headers=manner.headers(exchange.request_id),
        )

    async def _break_off(
        self, exchange: Exchange, response: EventStreamResponse, error: StoaError
    ) -> None:
        """Raises ``BrokenOffError`` where nothing but the end of the connection can tell it."""
        exchange.broke_off()
        if not response.content_type.startswith(EVENTS):
            raise BrokenOffError from error
        event = exchange.served.manner.error_event(error, exchange.request_id, response.last)
        await response.write(event)


async def _tell_late(exchange: Exchange, response: EventStreamResponse) -> None:
    """A heartbeat has taken the headers along before anybody knew what they are to say."""
    if late := late_headers(exchange.state):
        await response.remark(late)


async def _deliver(exchange: Exchange, answer: ProviderAnswer) -> None:
    headers = exchange.served.manner.headers(exchange.request_id)
    await send_whole(exchange.send, 200, headers, answer.body, answer.content_type)


def _telling(exchange: Exchange) -> TellStandings:
    return partial(exchange.served.manner.tell, exchange.state)


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
        tags=tags_in(exchange.scope),
    )


def _command(
    exchange: Exchange,
    asked: Asked,
    wishes: Wishes,
    *,
    actor: Actor,
    body: bytes,
    content_type: str,
) -> InvokeModelCommand:
    return InvokeModelCommand(
        actor=actor,
        call_id=CallId(exchange.request_id),
        correlation_id=exchange.correlation_id,
        operation=exchange.operation,
        model=asked.model,
        body=body,
        stream=asked.stream,
        include_usage=asked.include_usage,
        max_output_tokens=asked.max_output_tokens,
        choices=asked.choices,
        attachments=asked.attachments,
        offers_tools=asked.offers_tools,
        asks_retrieval=asked.asks_retrieval,
        # What is kept of it, and who looks at it, is no matter of what its client calls it.
        content_type=content_type if exchange.operation in UPLOADS else JSON,
        needs=asked.needs,
        prompt_bytes=asked.prompt_bytes,
        expected=asked.expected,
        features=exchange.served.manner.features(exchange.scope),
        local_only=wishes.local_only,
        user=wishes.user or asked.user,
        conversation=wishes.conversation,
        tags=wishes.tags,
        may_recall=wishes.may_recall,
        may_keep=wishes.may_keep,
        max_age_s=wishes.max_age_s,
        tell_standings=_telling(exchange) if actor.allowances else None,
        trace=traced(exchange.state),
    )


def stopping() -> UnavailableError:
    """What a call is told that was cancelled, and not by its client."""
    return UnavailableError("The server is stopping.", retry_after=1)
