"""Parts as a stream of content blocks, which follow each other where parts may overlap."""

from collections import deque

import msgspec

from adapters.dialects.anthropic.signatures import write_signature
from adapters.dialects.anthropic.words import NAME
from adapters.dialects.anthropic.write_blocks import write_block
from adapters.dialects.unsayable import unsayable
from domain.inference.conversation.events import (
    Delta,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    WholePart,
)
from domain.inference.conversation.parts import Audio, Foreign
from domain.inference.conversation.request import JsonObject

PartEvent = PartStarted | Delta | Opaque | PartEnded | WholePart

_DELTAS = {
    PartKind.TEXT: ("text_delta", "text"),
    PartKind.REFUSAL: ("text_delta", "text"),
    PartKind.THINKING: ("thinking_delta", "thinking"),
    PartKind.TOOL_CALL: ("input_json_delta", "partial_json"),
}


def event_of(kind: str, members: JsonObject) -> bytes:
    data = msgspec.json.encode({"type": kind} | members)
    return f"event: {kind}\ndata: ".encode() + data + b"\n\n"


class BlockStream:
    """Writes one part at a time; what is said of the others waits until it has ended."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()
        self._events: dict[int, list[PartEvent]] = {}
        self._part: PartStarted | None = None
        self._is_open = False
        self._index = 0

    def write(self, event: PartEvent) -> bytes:
        if event.index not in self._events:
            self._waiting.append(event.index)
            self._events[event.index] = []
        self._events[event.index].append(event)
        said: list[bytes] = []
        while self._waiting:
            part = self._waiting[0]
            events, self._events[part] = self._events[part], []
            said += [self._say(one) for one in events]
            if not events or not isinstance(events[-1], PartEnded | WholePart):
                break
            self._waiting.popleft()
        return b"".join(said)

    def _say(self, event: PartEvent) -> bytes:
        match event:
            case PartStarted():
                self._part = event
                # Whether a thought is redacted is only told by what follows.
                return b"" if event.kind is PartKind.THINKING else self._open(_opening(event))
            case Delta():
                return self._delta(event)
            case Opaque():
                return self._opaque(event)
            case PartEnded():
                return self._close()
        return self._whole(event)

    def _open(self, block: JsonObject) -> bytes:
        self._is_open = True
        return event_of("content_block_start", {"index": self._index, "content_block": block})

    def _opened_thought(self) -> bytes:
        if self._is_open:
            return b""
        return self._open({"type": "thinking", "thinking": "", "signature": ""})

    def _delta(self, event: Delta) -> bytes:
        kind = PartKind.TEXT if self._part is None else self._part.kind
        opened = self._opened_thought() if kind is PartKind.THINKING else b""
        name, member = _DELTAS[kind]
        return opened + self._more({"type": name, member: event.text})

    def _opaque(self, event: Opaque) -> bytes:
        if self._part is None or self._part.kind is not PartKind.THINKING:
            # Calls have no place for what another dialect wants back with them.
            return b""
        signature = write_signature(event.value, event.of)
        if event.is_redacted and not self._is_open:
            return self._open({"type": "redacted_thinking", "data": signature})
        opened = self._opened_thought()
        return opened + self._more({"type": "signature_delta", "signature": signature})

    def _more(self, delta: JsonObject) -> bytes:
        return event_of("content_block_delta", {"index": self._index, "delta": delta})

    def _close(self) -> bytes:
        if not self._is_open:
            return b""
        said = event_of("content_block_stop", {"index": self._index})
        self._is_open = False
        self._index += 1
        return said

    def _whole(self, event: WholePart) -> bytes:
        if isinstance(event.part, Foreign) and event.part.dialect != NAME:
            return b""
        if isinstance(event.part, Audio):
            raise unsayable(event.part, "a message")
        return self._open(write_block(event.part, "content")) + self._close()


def _opening(part: PartStarted) -> JsonObject:
    if part.kind is PartKind.TOOL_CALL:
        return {"type": "tool_use", "id": part.call_id, "name": part.name, "input": {}}
    return {"type": "text", "text": ""}
