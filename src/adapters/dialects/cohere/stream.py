from collections.abc import Iterator

from adapters.dialects.cohere.wire import WireCall, WireEvent, WirePart, event_decoder, stop_of
from adapters.dialects.dialect import StreamReader
from adapters.dialects.events import EventReader, EventTooLargeError, ServerEvent
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from adapters.dialects.late_failure import LateFailure
from domain.inference.conversation.events import (
    Delta,
    Measured,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
)

_DONE = b"[DONE]"


class CohereStreamReader(StreamReader):
    """Parts come one after the other, each with a start, its pieces and an end; the plan of calls
    has pieces alone."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._events = EventReader()
        self._parts = 0
        self._open_kind: PartKind | None = None
        self._done = False
        self._late = LateFailure()

    def feed(self, data: bytes) -> list[StreamEvent]:
        self._late.check()
        return self._late.gather(self._all(data))

    def end(self) -> list[StreamEvent]:
        self._late.check()
        if not self._done:
            raise self._failures.no_answer("ended its stream before the terminator")
        return []

    def _all(self, data: bytes) -> Iterator[StreamEvent]:
        for event in self._split(data):
            yield from self._read(event.data)

    def _split(self, data: bytes) -> list[ServerEvent]:
        try:
            return self._events.feed(data)
        except EventTooLargeError as error:
            raise self._failures.no_answer("sent an event without an end") from error

    def _read(self, data: bytes) -> Iterator[StreamEvent]:
        if not self._done and data.strip() != _DONE:
            yield from self._told(self._decoded(data))

    def _decoded(self, data: bytes) -> WireEvent:
        try:
            return event_decoder.decode(data)
        except NOT_JSON as error:
            raise self._failures.no_answer("sent an event that is none of its own") from error

    def _told(self, event: WireEvent) -> Iterator[StreamEvent]:
        match event.type:
            case "message-start":
                yield Started(id=event.id, model="")
            case "content-start" | "content-delta":
                yield from self._content(event)
            case "tool-plan-delta":
                yield from self._text(_plan(event), PartKind.TEXT)
            case "tool-call-start" | "tool-call-delta":
                yield from self._call(event)
            case "content-end" | "tool-call-end":
                yield from self._close()
            case "message-end":
                yield from self._finish(event)
            case _:
                pass

    def _content(self, event: WireEvent) -> Iterator[StreamEvent]:
        part = _part(event)
        if part is None:
            return
        is_thought = part.type == "thinking" or part.thinking is not None
        kind = PartKind.THINKING if is_thought else PartKind.TEXT
        if event.type == "content-start":
            yield from self._open(kind)
        yield from self._text(part.thinking or part.text or "", kind)

    def _call(self, event: WireEvent) -> Iterator[StreamEvent]:
        call = _called(event)
        if call is None:
            return
        if event.type == "tool-call-start":
            yield from self._open(
                PartKind.TOOL_CALL, call_id=call.id or "", name=call.function.name or ""
            )
        if self._open_kind is not PartKind.TOOL_CALL:
            raise self._failures.no_answer("went on with a call that it had not begun")
        if call.function.arguments:
            yield Delta(index=self._parts, text=call.function.arguments)

    def _text(self, text: str, kind: PartKind) -> Iterator[StreamEvent]:
        if not text:
            return
        if self._open_kind is not kind:
            yield from self._open(kind)
        yield Delta(index=self._parts, text=text)

    def _open(self, kind: PartKind, *, call_id: str = "", name: str = "") -> Iterator[StreamEvent]:
        yield from self._close()
        self._open_kind = kind
        yield PartStarted(index=self._parts, kind=kind, call_id=call_id, name=name)

    def _close(self) -> Iterator[StreamEvent]:
        if self._open_kind is not None:
            yield PartEnded(index=self._parts)
            self._parts += 1
            self._open_kind = None

    def _finish(self, event: WireEvent) -> Iterator[StreamEvent]:
        yield from self._close()
        delta = event.delta
        yield Stopped(reason=stop_of(delta.finish_reason if delta else None, self._failures))
        self._done = True
        usage = delta.usage.usage() if delta and delta.usage else None
        if usage is not None:
            yield Measured(usage=usage)


def _part(event: WireEvent) -> WirePart | None:
    content = event.delta.message.content if event.delta and event.delta.message else None
    return content if isinstance(content, WirePart) else None


def _called(event: WireEvent) -> WireCall | None:
    calls = event.delta.message.tool_calls if event.delta and event.delta.message else None
    return calls if isinstance(calls, WireCall) else None


def _plan(event: WireEvent) -> str:
    message = event.delta.message if event.delta else None
    return (message.tool_plan or "") if message else ""
