import re

import msgspec

from adapters.providers.openai_compatible.answer import renamed
from adapters.providers.openai_compatible.errors import ErrorMapping
from adapters.providers.openai_compatible.sse import (
    EventSplitter,
    EventTooLargeError,
    data_of,
    events_of,
    start_of_event,
)
from adapters.providers.openai_compatible.wire import WireAnswer, answer_decoder
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

MAX_EVENT_BYTES = 16 * 1024 * 1024
DONE = b"data: [DONE]\n\n"
# Whatever the gateway must understand has one of these in it; an event without any is passed on
# unread. Quotes inside JSON strings are escaped, so no text of a model can look like a member.
_MARKERS = (
    b'"finish_reason":"',
    b'"finish_reason": "',
    b'"usage":{',
    b'"usage": {',
    b'"error"',
    b"[DONE]",
)
_CHOICES = (b'"choices":[', b'"choices": [')
_CONTENT, _EMPTY_CONTENT = b'"content":"', b'"content":""'
_PIECE = re.compile(
    rb'"(?:content|text|arguments|reasoning_content|reasoning|refusal)"\s*:\s*"(?!")'
)


class StreamScanner:
    """Reads along in a stream of chunks while changing as little of it as possible.

    ``feed`` returns what the client gets; ``failure`` is set when the stream has said that it
    failed, and is to be raised after that; ``done`` when its terminator was seen.
    """

    def __init__(
        self, errors: ErrorMapping, *, names: tuple[str, str] | None, include_usage: bool
    ) -> None:
        """``names`` are the provider's and the client's name of the model where they differ."""
        self.done = False
        self.failure: StoaError | None = None
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.content_events = 0
        self._errors = errors
        self._names = names
        self._include_usage = include_usage
        self._splitter = EventSplitter(MAX_EVENT_BYTES)
        self._started = False
        self._unusual = False

    def feed(self, data: bytes) -> bytes:
        try:
            block = self._splitter.feed(data)
        except EventTooLargeError:
            self.failure = self._errors.no_answer("sent an event without an end")
            return b""
        if not block:
            return b""
        if not self._started:
            # Comments before the first event say only that the provider is alive: passing them on
            # would count as its first token and rule out another provider.
            if b"data:" not in block:
                return b""
            self._start(block)
        first = 0 if self._unusual else _first_marker(block)
        if first < 0:
            return self._passed(block)
        return self._read(block, start_of_event(block, first))

    def end(self) -> bytes:
        """The connection is over: what is still to be sent, or ``failure`` is set."""
        if data_of(self._splitter.rest).strip() != b"[DONE]" and self.finish_reason is None:
            self.failure = self._errors.no_answer("ended its stream before the terminator")
            return b""
        self.done = True
        return DONE

    def _start(self, block: bytes) -> None:
        self._started = True
        # JSON that is laid out in an unusual way has none of the markers; read it all.
        self._unusual = not any(choices in block for choices in _CHOICES)

    def _passed(self, block: bytes) -> bytes:
        pieces = block.count(_CONTENT) - block.count(_EMPTY_CONTENT)
        self.content_events += pieces or len(_PIECE.findall(block))
        if not self._include_usage:
            block = block.replace(b',"usage":null', b"").replace(b', "usage": null', b"")
        if self._names is not None:
            block = renamed(block, *self._names)
        return block

    def _read(self, block: bytes, start: int) -> bytes:
        kept = [self._passed(block[:start])] if start else []
        for event in events_of(block[start:]):
            if self._keep(event):
                kept.append(self._passed(event))
            if self.done or self.failure is not None:
                break
        return b"".join(kept)

    def _keep(self, event: bytes) -> bool:
        data = data_of(event)
        if not data:
            return True
        if data.strip() == b"[DONE]":
            self.done = True
            return True
        chunk = self._decode(data)
        if chunk is None:
            return self.failure is None
        if chunk.failed:
            self.failure = self._errors.of_body(data)
            return False
        self.finish_reason = chunk.finish_reason or self.finish_reason
        if chunk.usage is None:
            return True
        self.usage = chunk.usage.usage()
        return self._include_usage or bool(chunk.choices)

    def _decode(self, data: bytes) -> WireAnswer | None:
        try:
            return answer_decoder.decode(data)
        except msgspec.ValidationError:
            return None  # JSON of a shape that the gateway does not know is the client's business
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.failure = self._errors.no_answer("sent an event that is no JSON")
            return None


def _first_marker(block: bytes) -> int:
    """-1 where there is none."""
    end = first = len(block)
    for marker in _MARKERS:
        found = block.find(marker, 0, first)
        if found >= 0:
            first = found
    return -1 if first == end else first
