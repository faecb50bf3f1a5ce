"""Anthropic's stream events as events."""

from dataclasses import dataclass, field

import msgspec

from adapters.dialects.anthropic.signatures import read_signature
from adapters.dialects.anthropic.usage import read_usage
from adapters.dialects.anthropic.words import NAME, stop_of
from adapters.dialects.dialect import StreamReader
from adapters.dialects.events import EventReader, EventTooLargeError, text_in
from adapters.dialects.fields import NOT_JSON
from domain.inference.conversation.events import (
    Delta,
    Measured,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import Foreign
from domain.inference.conversation.request import JsonObject
from domain.inference.errors import ProviderFailedError

_KINDS = {
    "text": PartKind.TEXT,
    "thinking": PartKind.THINKING,
    "redacted_thinking": PartKind.THINKING,
    "tool_use": PartKind.TOOL_CALL,
}
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


@dataclass(slots=True)
class _Block:
    """``part`` is ``None`` for what only Anthropic has, which is kept until it is whole."""

    content: JsonObject
    part: int | None = None
    pieces: list[str] = field(default_factory=list)


class AnthropicReader(StreamReader):
    def __init__(self) -> None:
        self._events = EventReader()
        self._blocks: dict[int, _Block] = {}
        self._parts = 0
        self._usage: JsonObject = {}
        self._done = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        found: list[StreamEvent] = []
        try:
            for event in self._events.feed(data):
                self._read(msgspec.json.decode(event.data), found)
        except (EventTooLargeError, *NOT_JSON, AttributeError, TypeError, KeyError) as error:
            raise ProviderFailedError(
                "The provider sent something that is no stream of messages."
            ) from error
        return found

    def end(self) -> list[StreamEvent]:
        if not self._done:
            raise ProviderFailedError("The provider ended its stream before the terminator.")
        return []

    def _read(self, event: JsonObject, found: list[StreamEvent]) -> None:
        match event["type"]:
            case "message_start":
                self._start(event["message"], found)
            case "content_block_start":
                self._open(event["index"], event["content_block"], found)
            case "content_block_delta":
                self._more(self._blocks[event["index"]], event["delta"], found)
            case "content_block_stop":
                self._close(self._blocks.pop(event["index"]), found)
            case "message_delta":
                self._stop(event, found)
            case "message_stop":
                self._done = True
            case "error":
                raise ProviderFailedError("The provider reported an error in its stream.")

    def _start(self, message: JsonObject, found: list[StreamEvent]) -> None:
        found.append(Started(id=text_in(message, "id"), model=text_in(message, "model")))
        self._measure(message.get("usage"), found)

    def _measure(self, usage: object, found: list[StreamEvent]) -> None:
        """What is told at the end is added to what was told at the beginning."""
        if isinstance(usage, dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}
        measured = read_usage(self._usage)
        if measured is not None:
            found.append(Measured(usage=measured))

    def _open(self, index: int, content: JsonObject, found: list[StreamEvent]) -> None:
        block = self._blocks[index] = _Block(content)
        kind = _KINDS.get(content["type"])
        if kind is None:
            return
        block.part = self._parts
        self._parts += 1
        found.append(
            PartStarted(
                index=block.part,
                kind=kind,
                call_id=text_in(content, "id"),
                name=text_in(content, "name"),
            )
        )
        if content["type"] == "redacted_thinking":
            self._sign(block.part, text_in(content, "data"), found, is_redacted=True)
        said = text_in(content, "text") or text_in(content, "thinking")
        if content.get("input"):
            said = msgspec.json.encode(content["input"]).decode()
        self._say(block, said, found)

    def _more(self, block: _Block, delta: JsonObject, found: list[StreamEvent]) -> None:
        if delta["type"] == "signature_delta" and block.part is not None:
            self._sign(block.part, text_in(delta, "signature"), found)
        elif delta["type"] in _TEXTS:
            self._say(block, text_in(delta, _TEXTS[delta["type"]]), found)

    def _say(self, block: _Block, text: str, found: list[StreamEvent]) -> None:
        if not text:
            return
        block.pieces.append(text)
        if block.part is not None:
            found.append(Delta(index=block.part, text=text))

    def _sign(
        self, part: int, signature: str, found: list[StreamEvent], *, is_redacted: bool = False
    ) -> None:
        opaque, of = read_signature(signature)
        if opaque is not None:
            found.append(Opaque(index=part, value=opaque, of=of or NAME, is_redacted=is_redacted))

    def _close(self, block: _Block, found: list[StreamEvent]) -> None:
        if block.part is None:
            content = dict(block.content)
            if block.pieces:
                content["input"] = msgspec.json.decode("".join(block.pieces))
            foreign = Foreign(dialect=NAME, json=msgspec.json.encode(content).decode())
            found.append(WholePart(index=self._parts, part=foreign))
            self._parts += 1
            return
        if block.content["type"] == "tool_use" and not block.pieces:
            # A call without arguments has no piece of them, but they are an object all the same.
            found.append(Delta(index=block.part, text="{}"))
        found.append(PartEnded(index=block.part))

    def _stop(self, event: JsonObject, found: list[StreamEvent]) -> None:
        delta = event["delta"]
        self._measure(event.get("usage"), found)
        if delta.get("stop_reason"):
            sequence = text_in(delta, "stop_sequence") or None
            reason = stop_of(text_in(delta, "stop_reason"))
            found.append(Stopped(reason=reason, stop_sequence=sequence))
