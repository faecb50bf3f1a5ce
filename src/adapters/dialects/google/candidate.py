from collections.abc import Iterator

from adapters.dialects.failures import Failures
from adapters.dialects.google.logprobs import openai_logprobs
from adapters.dialects.google.parts import PartReader
from adapters.dialects.google.stops import FAULTS, stop_reason
from adapters.dialects.google.wire import WireCandidate
from domain.inference.conversation.events import (
    Delta,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    Stopped,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import Part, Text, Thinking, ToolCall
from domain.inference.conversation.request import JsonObject


class CandidateReader:
    """The events of one candidate: texts and thoughts go on from chunk to chunk, calls come
    whole."""

    def __init__(self, parts: PartReader, index: int, failures: Failures) -> None:
        self.stopped = False
        self._choice = index
        self._failures = failures
        self._parts = parts
        self._next = 0
        self._open: PartKind | None = None

    def read(self, candidate: WireCandidate) -> Iterator[StreamEvent]:
        content = candidate.content
        logprobs = openai_logprobs(candidate.logprobs_result)
        for raw in (content.parts or ()) if content is not None else ():
            for part in self._parts.read(raw):
                if self.stopped:
                    raise self._failures.no_answer("went on after its end")
                yield from self._part(part, logprobs)
                if isinstance(part, Text):
                    logprobs = None
        if candidate.finish_reason is not None and not self.stopped:
            yield from self._stop(candidate.finish_reason)

    def _stop(self, reason: str) -> Iterator[StreamEvent]:
        if reason in FAULTS:
            raise self._failures.no_answer(f"answered with a call that cannot be made ({reason})")
        self.stopped = True
        yield from self._close()
        stop = stop_reason(reason, has_calls=self._parts.calls > 0)
        yield Stopped(reason=stop, choice=self._choice)

    def _part(self, part: Part, logprobs: JsonObject | None) -> Iterator[StreamEvent]:
        if isinstance(part, Text):
            yield from self._start(PartKind.TEXT)
            yield Delta(index=self._next, text=part.text, choice=self._choice, logprobs=logprobs)
        elif isinstance(part, Thinking):
            yield from self._think(part)
        else:
            yield from self._close()
            yield from self._call(part) if isinstance(part, ToolCall) else self._whole(part)

    def _think(self, thought: Thinking) -> Iterator[StreamEvent]:
        yield from self._start(PartKind.THINKING)
        if thought.text:
            yield Delta(index=self._next, text=thought.text, choice=self._choice)
        if thought.opaque is not None:
            yield self._opaque(thought.opaque, thought.opaque_of)
            yield from self._close()

    def _call(self, call: ToolCall) -> Iterator[StreamEvent]:
        yield PartStarted(
            index=self._next,
            kind=PartKind.TOOL_CALL,
            choice=self._choice,
            call_id=call.id,
            name=call.name,
        )
        if call.opaque is not None:
            yield self._opaque(call.opaque, call.opaque_of)
        yield Delta(index=self._next, text=call.arguments, choice=self._choice)
        self._open = PartKind.TOOL_CALL
        yield from self._close()

    def _whole(self, part: Part) -> Iterator[StreamEvent]:
        yield WholePart(index=self._next, part=part, choice=self._choice)
        self._next += 1

    def _opaque(self, value: str, of: str | None) -> Opaque:
        return Opaque(index=self._next, value=value, of=of or "", choice=self._choice)

    def _start(self, kind: PartKind) -> Iterator[StreamEvent]:
        if self._open is not kind:
            yield from self._close()
            self._open = kind
            yield PartStarted(index=self._next, kind=kind, choice=self._choice)

    def _close(self) -> Iterator[StreamEvent]:
        if self._open is not None:
            self._open = None
            yield PartEnded(index=self._next, choice=self._choice)
            self._next += 1
