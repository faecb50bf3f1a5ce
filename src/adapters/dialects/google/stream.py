from collections.abc import Iterator

from adapters.dialects.dialect import StreamReader
from adapters.dialects.events import EventReader, EventTooLargeError, ServerEvent
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from adapters.dialects.google.answer import answer_id, decoded
from adapters.dialects.google.candidate import CandidateReader
from adapters.dialects.google.parts import PartReader
from adapters.dialects.google.usage import read_usage
from adapters.dialects.google.wire import WireAnswer
from adapters.dialects.late_failure import LateFailure
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import Measured, Started, Stopped, StreamEvent
from domain.shared.usage import Usage


class GoogleStreamReader(StreamReader):
    """Each event is a whole answer that holds the next parts of some candidates."""

    def __init__(self, failures: Failures, *, signs_apart: bool = False) -> None:
        self._failures = failures
        self._signs_apart = signs_apart
        self._events = EventReader()
        self._id: str | None = None
        self._candidates: dict[int, CandidateReader] = {}
        self._usage: Usage | None = None
        self._blocked = False
        self._late = LateFailure()

    def feed(self, data: bytes) -> list[StreamEvent]:
        self._late.check()
        return self._late.gather(self._all(data))

    def end(self) -> list[StreamEvent]:
        """Google says nothing at the end but that every candidate has finished."""
        self._late.check()
        candidates = self._candidates.values()
        finished = bool(candidates) and all(one.stopped for one in candidates)
        if self._events.is_inside or not (finished or self._blocked):
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
        said = decoded(data, self._failures)
        if said.failed:
            raise self._failures.of_body(data)
        if self._id is None:
            self._id = answer_id(said, data)
            yield Started(id=self._id, model=said.model_version)
        try:
            yield from self._parts(said, self._id)
        except NOT_JSON as error:
            raise self._failures.no_answer("sent parts that cannot be read") from error
        usage = read_usage(said.usage_metadata)
        if usage is not None and usage != self._usage:
            self._usage = usage
            yield Measured(usage=usage)

    def _parts(self, said: WireAnswer, response_id: str) -> Iterator[StreamEvent]:
        if said.is_blocked and not self._candidates:
            self._blocked = True
            yield Stopped(reason=StopReason.FILTERED)
        for candidate in said.candidates or ():
            reader = self._candidates.get(candidate.index)
            if reader is None:
                reader = self._begin(response_id, candidate.index)
            yield from reader.read(candidate)

    def _begin(self, response_id: str, index: int) -> CandidateReader:
        parts = PartReader(response_id, index, signs_apart=self._signs_apart)
        reader = self._candidates[index] = CandidateReader(parts, index, self._failures)
        return reader
