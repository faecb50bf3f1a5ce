from typing import Any

from adapters.dialects.guarding.server_events import DONE, Told, plain_event, told_in
from application.inference.guarding.ports import Channel, OpenChannel, StreamFormat

_PLAIN = ("content", "reasoning_content", "reasoning", "refusal")
_DONE_EVENT = b"data: " + DONE + b"\n\n"

# The choice, and which of its texts: a member of its delta, or the number of a tool call.
_Place = tuple[int, str | int]


class ChatStream(StreamFormat):
    """Chat and text completions as OpenAI streams them."""

    def __init__(self, opens: OpenChannel, *, holds_end: bool) -> None:
        self._opens = opens
        self._holds_end = holds_end
        self._channels: dict[_Place, Channel] = {}
        self._said: dict[int, str] = {}
        self._calls_tools: set[int] = set()
        self._envelope: dict[str, Any] = {}
        self._ending = b""

    @property
    def texts(self) -> list[str]:
        return [text for choice, text in self._said.items() if choice not in self._calls_tools]

    def feed(self, block: bytes) -> bytes:
        return b"".join(self._shown(told) for told in told_in(block))

    def end(self) -> bytes:
        return self._rest() + self._ending

    def cut(self) -> bytes:
        choices = sorted({choice for choice, _ in self._channels}) or [0]
        ends = [self._choice(choice, None, finish="content_filter") for choice in choices]
        return plain_event({**self._envelope, "choices": ends}) + _DONE_EVENT

    def _shown(self, told: Told) -> bytes:
        members = told.members
        if told.is_done:
            return self._rest() + self._held(told.raw)
        if members is None or not isinstance(members.get("choices"), list):
            return told.raw
        self._envelope = {name: members[name] for name in members if name != "usage"}
        before, is_last = b"", not members["choices"]
        for choice in members["choices"]:
            before += self._rewritten(choice)
            if choice.get("finish_reason") is not None:
                before += self._rest(choice.get("index", 0))
                is_last = True
        written = plain_event(members)
        return before + (self._held(written) if is_last else written)

    def _held(self, event: bytes) -> bytes:
        if not self._holds_end:
            return event
        self._ending += event
        return b""

    def _rewritten(self, choice: dict[str, Any]) -> bytes:
        """What has to be said before it."""
        index = choice.get("index", 0)
        before = self._rest_of_others(choice)
        if choice.get("logprobs"):
            # Its tokens are the words before they were looked at.
            choice["logprobs"] = None
        if isinstance(choice.get("text"), str):
            choice["text"] = self._through((index, "text"), choice["text"])
        delta = choice.get("delta") or {}
        for name in _PLAIN:
            if isinstance(delta.get(name), str):
                delta[name] = self._through((index, name), delta[name])
        for call in delta.get("tool_calls") or ():
            self._calls_tools.add(index)
            function = call.get("function") or {}
            if isinstance(function.get("arguments"), str):
                place = (index, call.get("index", 0))
                function["arguments"] = self._through(place, function["arguments"])
        return before

    def _rest_of_others(self, choice: dict[str, Any]) -> bytes:
        """Where another text of the choice begins, those before it are over."""
        index, delta = choice.get("index", 0), choice.get("delta") or {}
        names: list[str | int] = [name for name in _PLAIN if delta.get(name)]
        names += [call.get("index", 0) for call in delta.get("tool_calls") or ()]
        speaking = {(index, name) for name in names}
        if speaking <= self._channels.keys():
            return b""
        return b"".join(
            self._rest_of(one)
            for one in tuple(self._channels)
            if one[0] == index and one not in speaking
        )

    def _through(self, place: _Place, text: str) -> str:
        channel = self._channels.get(place)
        if channel is None:
            channel = self._channels[place] = self._opens(isinstance(place[1], int))
        return self._heard(place, channel.feed(text))

    def _heard(self, place: _Place, shown: str) -> str:
        if self._holds_end and place[1] in ("content", "text"):
            self._said[place[0]] = self._said.get(place[0], "") + shown
        return shown

    def _rest(self, choice: int | None = None) -> bytes:
        """What is held back of the texts of one choice, or of all."""
        places = [one for one in self._channels if choice in (None, one[0])]
        return b"".join(map(self._rest_of, places))

    def _rest_of(self, place: _Place) -> bytes:
        rest = self._heard(place, self._channels.pop(place).end())
        if not rest:
            return b""
        last = self._choice(place[0], (place[1], rest))
        return plain_event({**self._envelope, "choices": [last]})

    def _choice(
        self, index: int, text: tuple[str | int, str] | None, finish: str | None = None
    ) -> dict[str, Any]:
        is_completion = self._envelope.get("object") == "text_completion"
        choice: dict[str, Any] = {"index": index, "finish_reason": finish, "logprobs": None}
        if is_completion:
            return {**choice, "text": "" if text is None else text[1]}
        delta: dict[str, Any] = {}
        if text is not None and isinstance(text[0], int):
            delta["tool_calls"] = [{"index": text[0], "function": {"arguments": text[1]}}]
        elif text is not None:
            delta[str(text[0])] = text[1]
        return {**choice, "delta": delta}
