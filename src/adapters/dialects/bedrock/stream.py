from collections.abc import Iterator

import msgspec

from adapters.dialects.bedrock.answer import check_stop
from adapters.dialects.bedrock.frames import BrokenFrameError, Frame, FrameReader
from adapters.dialects.bedrock.stream_blocks import StreamBlocks
from adapters.dialects.bedrock.wire import (
    WireEnded,
    WireMetadata,
    WireMore,
    WireStarted,
    WireStop,
)
from adapters.dialects.dialect import StreamReader
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from adapters.dialects.late_failure import LateFailure
from domain.inference.conversation.events import Measured, Started, Stopped, StreamEvent

_EVENT, _BLOCK = "event", "contentBlock"


class BedrockStreamReader(StreamReader):
    """Converse's events, each in a frame of its own."""

    def __init__(self, failures: Failures, thinks_as: str) -> None:
        self._failures = failures
        self._frames = FrameReader()
        self._blocks = StreamBlocks(thinks_as)
        self._started = False
        self._stopped = False
        self._late = LateFailure()

    def feed(self, data: bytes) -> list[StreamEvent]:
        self._late.check()
        return self._late.gather(self._all(data))

    def end(self) -> list[StreamEvent]:
        self._late.check()
        if self._frames.is_inside or not self._stopped:
            raise self._failures.no_answer("ended its stream before the terminator")
        return []

    def _all(self, data: bytes) -> Iterator[StreamEvent]:
        for frame in self._split(data):
            yield from self._read(frame)

    def _split(self, data: bytes) -> list[Frame]:
        try:
            return self._frames.feed(data)
        except BrokenFrameError as error:
            raise self._failures.no_answer("sent an event that is broken") from error

    def _read(self, frame: Frame) -> Iterator[StreamEvent]:
        if frame.headers.get(":message-type", _EVENT) != _EVENT:
            raise self._failures.of_body(_failure(frame))
        if not self._started:
            self._started = True
            yield Started(id="", model="")
        try:
            yield from self._event(frame.headers.get(":event-type", ""), frame.payload)
        except NOT_JSON as error:
            raise self._failures.no_answer("sent an event that cannot be read") from error

    def _event(self, kind: str, payload: bytes) -> Iterator[StreamEvent]:
        if self._stopped and kind.startswith(_BLOCK):
            raise self._failures.no_answer("went on after its end")
        match kind:
            case "contentBlockStart":
                yield from self._blocks.start(msgspec.json.decode(payload, type=WireStarted))
            case "contentBlockDelta":
                yield from self._blocks.go_on(msgspec.json.decode(payload, type=WireMore))
            case "contentBlockStop":
                ended = msgspec.json.decode(payload, type=WireEnded)
                yield from self._blocks.end(ended.content_block_index)
            case "messageStop":
                yield from self._stop(msgspec.json.decode(payload, type=WireStop))
            case "metadata":
                usage = msgspec.json.decode(payload, type=WireMetadata).usage.usage()
                if usage is not None:
                    yield Measured(usage=usage)

    def _stop(self, said: WireStop) -> Iterator[StreamEvent]:
        check_stop(said, self._failures)
        yield from self._blocks.end_all()
        if not self._stopped:
            self._stopped = True
            yield Stopped(reason=said.reason, stop_sequence=said.stop_sequence)


def _failure(frame: Frame) -> bytes:
    """In the shape that failures have outside of streams."""
    headers = frame.headers
    kind = headers.get(":exception-type") or headers.get(":error-code") or ""
    try:
        said = msgspec.json.decode(frame.payload, type=dict[str, object])
    except NOT_JSON:
        said = {"message": headers.get(":error-message", "")}
    return msgspec.json.encode(said | {"__type": kind})
