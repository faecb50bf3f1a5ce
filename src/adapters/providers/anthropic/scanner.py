import re
from typing import Any

import msgspec

from adapters.dialects.anthropic.usage import read_usage
from adapters.providers.anthropic.wire import finish_reason_of
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.answer import under_public_name
from adapters.providers.openai_compatible.sse import (
    EventSplitter,
    EventTooLargeError,
    data_of,
    events_of,
)
from adapters.providers.openai_compatible.stream import Scanner
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

MAX_EVENT_BYTES = 16 * 1024 * 1024
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_DELTA = b'"content_block_delta"'
# Whatever the gateway must understand has one of these in it. Quotes inside JSON strings are
# escaped, so that no text of a model can look like a type.
_MARKER = re.compile(rb'"message_|"type": ?"error"|event: error')


class MessagesScanner(Scanner):
    """Reads along in a stream of Anthropic's, which passes through as it is but for the model's
    name."""

    def __init__(self, errors: ErrorMapping, *, upstream_name: str, public_name: str) -> None:
        self.done = False
        self.failure: StoaError | None = None
        self._errors = errors
        self._names = upstream_name, public_name
        self._splitter = EventSplitter(MAX_EVENT_BYTES)
        self._finish_reason: str | None = None
        self._content_events = 0
        self._told: dict[str, Any] = {}
        self._is_final = False

    @property
    def finish_reason(self) -> str | None:
        return self._finish_reason

    @property
    def content_events(self) -> int:
        return self._content_events

    @property
    def usage(self) -> Usage | None:
        """What was asked is told at the beginning, what was said at the end."""
        told = read_usage(self._told)
        if told is None or self._is_final:
            return told
        return Usage(
            prompt_tokens=told.prompt_tokens,
            cached_tokens=told.cached_tokens,
            cache_write_tokens=told.cache_write_tokens,
            completion_tokens=self._content_events,
            counted=True,
        )

    def feed(self, data: bytes) -> bytes:
        if self.failure is not None:
            return b""
        try:
            block = self._splitter.feed(data)
        except EventTooLargeError:
            self.failure = self._errors.no_answer("sent an event without an end")
            return b""
        if _MARKER.search(block) is None:
            self._content_events += block.count(_DELTA)
            return block
        kept: list[bytes] = []
        for event in events_of(block):
            kept.append(self._read(event))
            if self.done or self.failure is not None:
                break
        return b"".join(kept)

    def end(self) -> bytes:
        if self._finish_reason is None:
            self.failure = self._errors.no_answer("ended its stream before the terminator")
            return b""
        self.done = True
        return _STOP

    def cut(self) -> bytes:
        return self.end()

    def _read(self, event: bytes) -> bytes:
        self._content_events += event.count(_DELTA)
        data = data_of(event)
        if not data or _MARKER.search(event) is None:
            return event
        try:
            said = msgspec.json.decode(data)
            kind = said["type"]
        except (*NOT_JSON, KeyError, TypeError):
            self.failure = self._errors.no_answer("sent an event that is no JSON object")
            return b""
        return self._understood(kind, said, event, data)

    def _understood(self, kind: str, said: dict[str, Any], event: bytes, data: bytes) -> bytes:
        match kind:
            case "error":
                self.failure = self._errors.of_body(data)
                return b""
            case "message_start":
                self._measure(said.get("message"))
                return under_public_name(event, *self._names)
            case "message_delta":
                self._measure(said)
                self._is_final = True
                delta = said.get("delta")
                reason = delta.get("stop_reason") if isinstance(delta, dict) else None
                self._finish_reason = finish_reason_of(reason) or self._finish_reason
            case "message_stop":
                self.done = True
        return event

    def _measure(self, said: object) -> None:
        usage = said.get("usage") if isinstance(said, dict) else None
        if isinstance(usage, dict):
            self._told |= {name: value for name, value in usage.items() if value is not None}
