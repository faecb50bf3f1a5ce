import re
from dataclasses import replace

import msgspec

from adapters.dialects.events import EventReader, EventTooLargeError
from adapters.dialects.fields import NOT_JSON
from adapters.dialects.openai_responses.failures import write_failure
from adapters.dialects.openai_responses.gathering import gathered_items
from adapters.dialects.openai_responses.stamping import (
    Members,
    overlay,
    raw,
    read_members,
    stamped_response,
)
from application.inference.responses.ports import ResponseStamp, ResponseStream, StampedResponse
from domain.inference.stored_response import ResponseStatus
from domain.shared.errors import StoaError

# What is kept to tell later what was said in a stream that was cut.
MOST_KEPT = 4 * 1024 * 1024
# Quotes inside JSON strings are escaped, so no text of a model can look like a member.
_WITH_RESPONSE = re.compile(
    rb'"type"\s*:\s*"response\.(?:created|in_progress|queued|completed|incomplete|failed)"'
)
_LAST = frozenset({b"response.completed", b"response.incomplete", b"response.failed"})
_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d+)')
_TERMINATOR = b"data: [DONE]"


class KeptStream(ResponseStream):
    """Looks into the events that have the response in them, and passes on all others unread."""

    def __init__(self, stamp: ResponseStamp, *, keeps: bool) -> None:
        self._stamp = stamp
        self._keeps = keeps
        self._overlay: Members | None = None
        self._response: Members = {}
        self._kept: list[bytes] = []
        self._size = 0
        self._tail = b""
        self._kind = b"response.incomplete"
        self._event: Members = {}
        self._ended: StampedResponse | None = None
        self._last_response: Members = {}

    def feed(self, block: bytes) -> bytes:
        if self._ended is not None:
            return b""
        if self._keeps and self._size < MOST_KEPT:
            self._kept.append(block)
            self._size += len(block)
        self._tail = block
        if _WITH_RESPONSE.search(block) is None and _TERMINATOR not in block:
            return block
        return b"".join(map(self._passed, block.replace(b"\r\n", b"\n").split(b"\n\n")))

    def ended(self) -> StampedResponse | None:
        return self._ended

    def cut(self, error: StoaError | None) -> StampedResponse:
        status = ResponseStatus.CANCELLED if error is None else ResponseStatus.FAILED
        response = self._response | {
            "status": raw(status),
            "error": raw(None if error is None else write_failure(error)),
            "output": raw(gathered_items(b"".join(self._kept))),
        }
        self._kind = b"response.failed"
        self._event = {"sequence_number": raw(self._next_number())}
        return self._end(response)

    def restamped(self, *, store: bool) -> bytes:
        members = self._last_response | {"store": raw(store)}
        return self._written(msgspec.Raw(msgspec.json.encode(members)))

    def _passed(self, event: bytes) -> bytes:
        """One event without the blank line behind it, which goes with it again."""
        if not event or self._ended is not None or event.startswith(_TERMINATOR):
            return b""
        if _WITH_RESPONSE.search(event) is None:
            return event + b"\n\n"
        try:
            return self._with_response(event + b"\n\n")
        except (*NOT_JSON, KeyError, EventTooLargeError):
            # What the provider means by that is between it and the client.
            return event + b"\n\n"

    def _with_response(self, data: bytes) -> bytes:
        (event,) = EventReader().feed(data)
        members = read_members(event.data)
        kind = msgspec.json.decode(members["type"], type=str).encode()
        response = read_members(members["response"])
        self._kind, self._event = kind, members
        if kind in _LAST:
            self._end(response)
            return b""
        self._response = response | self._stamped_members()
        return self._written(raw(self._response))

    def _end(self, response: Members) -> StampedResponse:
        stamped = stamped_response(response, self._stamp)
        self._last_response = read_members(stamped.body)
        event = self._written(msgspec.Raw(stamped.body))
        self._ended = replace(stamped, body=event)
        return self._ended

    def _written(self, response: msgspec.Raw) -> bytes:
        members = {"type": raw(self._kind.decode())} | self._event | {"response": response}
        return b"event: %b\ndata: %b\n\n" % (self._kind, msgspec.json.encode(members))

    def _stamped_members(self) -> Members:
        if self._overlay is None:
            self._overlay = overlay(self._stamp)
        return self._overlay

    def _next_number(self) -> int:
        numbers = _NUMBER.findall(self._tail)
        return int(numbers[-1]) + 1 if numbers else 0
