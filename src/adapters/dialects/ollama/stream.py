from collections.abc import Iterator

from adapters.dialects.dialect import StreamReader
from adapters.dialects.failures import Failures
from adapters.dialects.late_failure import LateFailure
from adapters.dialects.ollama.wire import (
    WireAnswer,
    WireCall,
    arguments_of,
    decoded,
    openai_logprobs,
)
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
from domain.inference.conversation.request import JsonObject

MAX_LINE_BYTES = 16 * 1024 * 1024


class OllamaStreamReader(StreamReader):
    """One JSON object on each line, the last of which is ``done``."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._pending = b""
        self._started = False
        self._done = False
        self._open: PartKind | None = None
        self._parts = 0
        self._calls = 0
        self._late = LateFailure()

    def feed(self, data: bytes) -> list[StreamEvent]:
        self._late.check()
        *lines, self._pending = (self._pending + data).split(b"\n")
        return self._late.gather(self._all(lines))

    def end(self) -> list[StreamEvent]:
        """The last line needs no end."""
        self._late.check()
        line, self._pending = self._pending, b""
        seen = list(self._line(line)) if line.strip().endswith(b"}") else []
        if not self._done:
            raise self._failures.no_answer("ended its stream before the terminator")
        return seen

    def _all(self, lines: list[bytes]) -> Iterator[StreamEvent]:
        if len(self._pending) > MAX_LINE_BYTES:
            raise self._failures.no_answer("sent a line without an end")
        for line in lines:
            yield from self._line(line)

    def _line(self, line: bytes) -> Iterator[StreamEvent]:
        if not line.strip() or self._done:
            return
        said = decoded(line, self._failures)
        if not self._started:
            self._started = True
            yield Started(id="", model=said.model, created=said.created)
        message = said.message
        if message is not None:
            yield from self._more(PartKind.THINKING, message.thinking)
            yield from self._more(PartKind.TEXT, message.content, openai_logprobs(said))
            for call in message.tool_calls or ():
                yield from self._call(said, call)
        if said.done:
            yield from self._finish(said)

    def _more(
        self, kind: PartKind, text: str | None, logprobs: JsonObject | None = None
    ) -> Iterator[StreamEvent]:
        if not text:
            return
        if self._open is not kind:
            yield from self._close()
            self._open = kind
            yield PartStarted(index=self._parts, kind=kind)
        yield Delta(index=self._parts, text=text, logprobs=logprobs)

    def _call(self, said: WireAnswer, call: WireCall) -> Iterator[StreamEvent]:
        yield from self._close()
        yield PartStarted(
            index=self._parts,
            kind=PartKind.TOOL_CALL,
            call_id=said.call_id(call, self._calls),
            name=call.function.name,
        )
        yield Delta(index=self._parts, text=arguments_of(call))
        yield PartEnded(index=self._parts)
        self._parts += 1
        self._calls += 1

    def _finish(self, said: WireAnswer) -> Iterator[StreamEvent]:
        self._done = True
        yield from self._close()
        yield Stopped(reason=said.stop(has_calls=self._calls > 0))
        if said.usage is not None:
            yield Measured(usage=said.usage)

    def _close(self) -> Iterator[StreamEvent]:
        if self._open is not None:
            yield PartEnded(index=self._parts)
            self._parts += 1
            self._open = None
