import re

import msgspec

from adapters.dialects.openai_responses.stamping import read_members
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.responses.answer import (
    WireResponse,
    response_decoder,
)
from adapters.providers.openai_compatible.sse import (
    EventSplitter,
    EventTooLargeError,
    data_of,
    events_of,
)
from adapters.providers.openai_compatible.stream import Scanner
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

MAX_EVENT_BYTES = 64 * 1024 * 1024
# Quotes inside JSON strings are escaped, so no text of a model can look like a member.
_TOLD = re.compile(rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"')
_SAID = re.compile(rb'"type"\s*:\s*"response\.[a-z_.]+\.delta"')


class ResponsesScanner(Scanner):
    """Reads along in a stream of a response, of which it changes nothing. Only the events that end
    it are looked into."""

    def __init__(self, errors: ErrorMapping) -> None:
        self.done = False
        self.failure: StoaError | None = None
        self._errors = errors
        self._splitter = EventSplitter(MAX_EVENT_BYTES)
        self._response: WireResponse | None = None
        self._content_events = 0
        self._has_begun = False

    @property
    def finish_reason(self) -> str | None:
        return None if self._response is None else self._response.finish_reason

    @property
    def usage(self) -> Usage | None:
        return None if self._response is None else self._response.read_usage()

    @property
    def content_events(self) -> int:
        return self._content_events

    def feed(self, data: bytes) -> bytes:
        try:
            block = self._splitter.feed(data)
        except EventTooLargeError:
            self.failure = self._errors.no_answer("sent an event without an end")
            return b""
        # Comments before the first event say only that the provider is alive.
        self._has_begun = self._has_begun or b"data:" in block
        if not block or not self._has_begun:
            return b""
        self._content_events += len(_SAID.findall(block))
        if _TOLD.search(block) is None:
            return block
        return b"".join(self._passed(event) for event in events_of(block))

    def end(self) -> bytes:
        if not self.done:
            self.failure = self._errors.no_answer("ended its stream before the response")
        return b""

    def cut(self) -> bytes:
        return self.end()

    def _passed(self, event: bytes) -> bytes:
        if self.done or self.failure is not None:
            return b""
        if _TOLD.search(event) is None:
            return event
        try:
            self._read(data_of(event))
        except NOT_JSON:
            self.failure = self._errors.no_answer("sent an event that is no JSON object")
        return b"" if self.failure is not None else event

    def _read(self, data: bytes) -> None:
        members = read_members(data)
        kind = msgspec.json.decode(members.get("type", b'""'))
        if kind == "error":
            said = members.get("error", data)
            response = response_decoder.decode(b'{"error":%b}' % bytes(said))
        elif "response" in members:
            response = response_decoder.decode(members["response"])
        else:
            # Something inside an event only looked like its type.
            return
        if response.failed or kind == "error":
            self.failure = response.failure(self._errors)
            return
        self._response, self.done = response, True
