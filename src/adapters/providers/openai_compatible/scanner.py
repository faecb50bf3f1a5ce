import re
from typing import NamedTuple

import msgspec

from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.owed_usage import OwedUsage
from adapters.providers.openai_compatible.sse import (
    EventSplitter,
    EventTooLargeError,
    data_of,
    events_of,
    name_of,
    start_of_event,
)
from adapters.providers.openai_compatible.wire import WireAnswer, answer_decoder
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

MAX_EVENT_BYTES = 16 * 1024 * 1024
DONE = b"data: [DONE]\n\n"


# Of a reason to finish, usage, an error, the terminator, and an event with a name.
Markers = tuple[bytes, bytes, bytes, bytes, bytes]


class _Layout(NamedTuple):
    """What JSON looks like from a server that does, or does not, put a space behind its colons.

    Whatever the gateway must understand has one of the ``markers`` in it; an event without any is
    passed on unread. Quotes inside JSON strings are escaped, so no text of a model can look like a
    member.
    """

    choices: bytes
    markers: Markers
    content: bytes
    no_content: bytes
    no_usage: bytes
    model: bytes


_COMPACT = _Layout(
    choices=b'"choices":[',
    markers=(b'"finish_reason":"', b'"usage":{', b'"error"', b"[DONE]", b"event:"),
    content=b'"content":"',
    no_content=b'"content":""',
    no_usage=b',"usage":null',
    model=b'"model":',
)
_SPACED = _Layout(
    choices=b'"choices": [',
    markers=(b'"finish_reason": "', b'"usage": {', b'"error"', b"[DONE]", b"event:"),
    content=b'"content": "',
    no_content=b'"content": ""',
    no_usage=b', "usage": null',
    model=b'"model": ',
)
_PIECE = re.compile(
    rb'"(?:content|text|arguments|reasoning_content|reasoning|refusal)"\s*:\s*"(?!")'
)


class StreamScanner:
    """Reads along in a stream of chunks while changing as little of it as possible.

    ``feed`` returns what the client gets; ``failure`` is set when the stream has said that it
    failed, and is to be raised after that; ``done`` when its terminator was seen.
    """

    def __init__(
        self,
        errors: ErrorMapping,
        *,
        names: tuple[str, str] | None,
        include_usage: bool,
        owed: OwedUsage | None = None,
    ) -> None:
        """``names`` are the provider's and the client's name of the model where they differ;
        ``owed`` is for clients who want the usage of a provider that cannot be asked for it."""
        self.done = False
        self.failure: StoaError | None = None
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.content_events = 0
        self._errors = errors
        self._names = names and (msgspec.json.encode(names[0]), msgspec.json.encode(names[1]))
        self._include_usage = include_usage
        self._owed = owed
        self._splitter = EventSplitter(MAX_EVENT_BYTES)
        self._layout: _Layout | None = None
        self._unusual = False
        self._model: tuple[bytes, bytes] | None = None

    def feed(self, data: bytes) -> bytes:
        if self.failure is not None:
            return b""
        try:
            block = self._splitter.feed(data)
        except EventTooLargeError:
            self.failure = self._errors.no_answer("sent an event without an end")
            return b""
        if not block:
            return b""
        layout = self._layout
        if layout is None:
            # Comments before the first event say only that the provider is alive: passing them on
            # would count as its first token and rule out another provider.
            if b"data:" not in block:
                return b""
            layout = self._recognise(block)
        first = 0 if self._unusual else _first(layout.markers, block)
        if first < 0:
            return self._passed(block, layout)
        return self._read(block, start_of_event(block, first), layout)

    def end(self) -> bytes:
        """The connection is over: what is still to be sent, or ``failure`` is set."""
        if data_of(self._splitter.rest).strip() != b"[DONE]" and self.finish_reason is None:
            self.failure = self._errors.no_answer("ended its stream before the terminator")
            return b""
        self.done = True
        return self._debt() + DONE

    def cut(self) -> bytes:
        """Servers that end a stream by closing the connection do not always do it in style."""
        return self.end()

    def _recognise(self, block: bytes) -> _Layout:
        layout = self._layout = _COMPACT if _COMPACT.choices in block else _SPACED
        # JSON that is laid out in yet another way has none of the markers; read it all.
        self._unusual = layout.choices not in block
        if self._names is not None:
            self._model = layout.model + self._names[0], layout.model + self._names[1]
        return layout

    def _passed(self, block: bytes, layout: _Layout) -> bytes:
        pieces = block.count(layout.content) - block.count(layout.no_content)
        self.content_events += pieces or len(_PIECE.findall(block))
        if not self._include_usage:
            block = block.replace(layout.no_usage, b"")
        if self._model is not None:
            block = block.replace(*self._model)
        return block

    def _read(self, block: bytes, start: int, layout: _Layout) -> bytes:
        kept = [self._passed(block[:start], layout)] if start else []
        for event in events_of(block[start:]):
            if self._keep(event):
                kept += [self._debt()] if self.done else []
                kept.append(self._passed(event, layout))
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
        chunk = self._decode(event, data)
        if chunk is None:
            return self.failure is None
        if chunk.failed:
            self.failure = self._errors.of_body(data)
            return False
        self.finish_reason = chunk.finish_reason or self.finish_reason
        if self._owed is not None:
            self._owed.note(chunk)
        if not chunk.has_usage:
            return True
        self.usage = chunk.read_usage() or self.usage
        return self._include_usage or bool(chunk.choices)

    def _debt(self) -> bytes:
        return b"" if self._owed is None else self._owed.event(self.usage, self.content_events)

    def _decode(self, event: bytes, data: bytes) -> WireAnswer | None:
        if name_of(event) == b"error":
            self.failure = self._errors.of_body(data)
            return None
        try:
            return answer_decoder.decode(data)
        except NOT_JSON as error:
            # An object of a shape that the gateway does not know is the client's business.
            shape = isinstance(error, msgspec.ValidationError)
            if not shape or not data.lstrip().startswith(b"{"):
                self.failure = self._errors.no_answer("sent an event that is no JSON object")
            return None


def _first(markers: Markers, block: bytes) -> int:
    """Where the first of them stands; -1 where there is none, which is said of most events."""
    finish, usage, error, done, event = markers
    if not (finish in block or usage in block or error in block or done in block or event in block):
        return -1
    return min(found for marker in markers if (found := block.find(marker)) >= 0)
