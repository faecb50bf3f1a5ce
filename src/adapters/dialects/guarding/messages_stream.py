from typing import Any

from adapters.dialects.guarding.server_events import Told, named_event, told_in
from adapters.dialects.guarding.walking import Walk
from application.inference.guarding.ports import Channel, OpenChannel, StreamFormat

_GOING_ON = (("text", "text_delta"), ("thinking", "thinking_delta"))
_MEMBER = {"text_delta": "text", "input_json_delta": "partial_json", "thinking_delta": "thinking"}
_LAST = ("message_delta", "message_stop")


class _Block:
    """A block of content that is open. ``kind`` is that of its deltas."""

    def __init__(self, kind: str, channel: Channel) -> None:
        self.kind = kind
        self._channel = channel
        self._came = ""
        self._shown = ""

    @property
    def is_changed(self) -> bool:
        """Whether it says something else, once it has come to its end."""
        return self._shown != self._came

    def feed(self, text: str) -> str:
        self._came += text
        return self._heard(self._channel.feed(text))

    def end(self) -> str:
        return self._heard(self._channel.end())

    def _heard(self, shown: str) -> str:
        self._shown += shown
        return shown


class MessagesStream(StreamFormat):
    """Messages as Anthropic streams them."""

    def __init__(self, opens: OpenChannel, *, holds_end: bool) -> None:
        self._opens = opens
        self._holds_end = holds_end
        self._blocks: dict[int, _Block] = {}
        self._open: set[int] = set()
        self._said = ""
        self._calls_tools = False
        self._ending = b""

    @property
    def texts(self) -> list[str]:
        return [self._said] if self._said and not self._calls_tools else []

    def feed(self, block: bytes) -> bytes:
        return b"".join(self._shown(told) for told in told_in(block))

    def end(self) -> bytes:
        rest = b"".join(self._rest(index) for index in tuple(self._blocks))
        return rest + self._ending

    def cut(self) -> bytes:
        stops: list[dict[str, Any]] = [
            {"type": "content_block_stop", "index": index} for index in sorted(self._open)
        ]
        delta = {"stop_reason": "refusal", "stop_sequence": None}
        ends: list[dict[str, Any]] = [
            {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 0}},
            {"type": "message_stop"},
        ]
        return b"".join(map(named_event, [*stops, *ends]))

    def _shown(self, told: Told) -> bytes:
        members = told.members
        kind = None if members is None else members.get("type")
        if members is None:
            return told.raw
        if kind == "content_block_start":
            return self._started(members)
        if kind == "content_block_delta":
            return self._delta(members)
        if kind == "content_block_stop":
            self._open.discard(members["index"])
            return self._rest(members["index"]) + told.raw
        if kind in _LAST and self._holds_end:
            self._ending += told.raw
            return b""
        return named_event(self._whole(members)) if kind == "message_start" else told.raw

    def _whole(self, members: dict[str, Any]) -> dict[str, Any]:
        """What comes in one piece."""
        seen: dict[str, Any] = Walk(self._opens, is_answer=True).over(members)
        return seen

    def _started(self, members: dict[str, Any]) -> bytes:
        index, block = members["index"], members["content_block"]
        self._open.add(index)
        self._calls_tools = self._calls_tools or block.get("type") == "tool_use"
        begun = {
            name: self._said_in(index, kind, block[name])
            for name, kind in _GOING_ON
            if block.get(name) and isinstance(block[name], str)
        }
        others = {name: value for name, value in block.items() if name not in begun}
        return named_event({**members, "content_block": {**block, **self._whole(others), **begun}})

    def _delta(self, members: dict[str, Any]) -> bytes:
        index, delta = members["index"], members["delta"]
        kind = delta.get("type")
        if kind in _MEMBER:
            delta[_MEMBER[kind]] = self._said_in(index, kind, delta[_MEMBER[kind]])
        elif kind == "signature_delta":
            rest = self._rest(index, keep=True)
            block = self._blocks.get(index)
            # It vouches for the words that were there.
            is_true = block is None or not block.is_changed
            return rest + (named_event(members) if is_true else b"")
        else:
            members = self._whole(members)
        return named_event(members)

    def _said_in(self, index: int, kind: str, text: str) -> str:
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = _Block(kind, self._opens(kind == "input_json_delta"))
        return self._heard(kind, block.feed(text))

    def _heard(self, kind: str, shown: str) -> str:
        if kind == "text_delta" and self._holds_end:
            self._said += shown
        return shown

    def _rest(self, index: int, *, keep: bool = False) -> bytes:
        """What is held back of a block."""
        block = self._blocks.get(index)
        if block is None:
            return b""
        if not keep:
            del self._blocks[index]
        rest = self._heard(block.kind, block.end())
        if not rest:
            return b""
        delta = {"type": block.kind, _MEMBER[block.kind]: rest}
        return named_event({"type": "content_block_delta", "index": index, "delta": delta})
