from typing import Any

from adapters.dialects.guarding.delta_walk import GOING_ON, DeltaWalk, Path
from adapters.dialects.guarding.server_events import DONE, Told, plain_event, told_in
from adapters.dialects.guarding.walking import Walk
from application.inference.guarding.ports import Channel, OpenChannel, StreamFormat

_DONE_EVENT = b"data: " + DONE + b"\n\n"
_DELTA, _TEXT = "delta", "text"
_SAYING = (("delta", "content"), ("text",))
_CALLING = ("tool_calls", "function_call")
# What every chunk has; nobody's words are in there.
_USUAL = frozenset({"id", "object", "created", "model", "choices", "usage", "system_fingerprint"})

# The choice, and where in it the text is.
_Place = tuple[int, Path]


class ChatStream(StreamFormat):
    """Chat and text completions as OpenAI streams them."""

    def __init__(self, opens: OpenChannel, repeats: OpenChannel, *, holds_end: bool) -> None:
        self._opens = opens
        self._repeats = repeats
        self._holds_end = holds_end
        self._channels: dict[_Place, Channel] = {}
        self._walks: dict[int, DeltaWalk] = {}
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
        if members is None:
            return told.raw
        choices, walk = members.pop("choices", None), Walk(self._repeats, is_answer=True)
        if members.keys() - _USUAL:
            # Sources of a search, and the like: whole, and often the same in every chunk.
            members = walk.over(members)
        if not isinstance(choices, list):
            return plain_event(members) if walk.has_changed else told.raw
        members["choices"] = choices
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
        index: int = choice.get("index", 0)
        # Not of this format; some repeat there all that was said up to now.
        choice.pop("message", None)
        if choice.get("logprobs"):
            # Its tokens are the words before they were looked at.
            choice["logprobs"] = None
        delta: dict[str, Any] = choice.get(_DELTA) or {}
        before = self._rest_of_others(index, choice, delta)
        walk = self._walk(index)
        if choice.get(_TEXT):
            choice[_TEXT] = walk.over((), _TEXT, choice[_TEXT])
        if any(delta.get(name) for name in _CALLING):
            self._calls_tools.add(index)
        for name, value in delta.items():
            if name in GOING_ON:
                delta[name] = walk.over((_DELTA,), name, value)
            elif isinstance(value, dict | list):
                delta[name] = Walk(self._opens, is_answer=True).over(value)
        return before

    def _walk(self, index: int) -> DeltaWalk:
        if index not in self._walks:
            self._walks[index] = DeltaWalk(
                lambda path, text, is_json: self._through((index, path), text, is_json=is_json)
            )
        return self._walks[index]

    def _rest_of_others(self, index: int, choice: dict[str, Any], delta: dict[str, Any]) -> bytes:
        """Where another text of the choice begins, those before it are over; tools may be called
        by turns."""
        speaking: set[Path] = {(_DELTA, name) for name in GOING_ON if delta.get(name)}
        if choice.get(_TEXT):
            speaking.add((_TEXT,))
        known = {path[:2] for number, path in self._channels if number == index}
        if speaking <= known:
            return b""
        return b"".join(
            self._rest_of((number, path))
            for number, path in tuple(self._channels)
            if number == index and path[:2] not in speaking
        )

    def _through(self, place: _Place, text: str, *, is_json: bool) -> str:
        channel = self._channels.get(place)
        if channel is None:
            channel = self._channels[place] = self._opens(is_json)
        return self._heard(place, channel.feed(text))

    def _heard(self, place: _Place, shown: str) -> str:
        index, path = place
        if self._holds_end and path[:2] in _SAYING and "thinking" not in path:
            self._said[index] = self._said.get(index, "") + shown
        return shown

    def _rest(self, choice: int | None = None) -> bytes:
        """What is held back of the texts of one choice, or of all."""
        places = [one for one in self._channels if choice in (None, one[0])]
        return b"".join(map(self._rest_of, places))

    def _rest_of(self, place: _Place) -> bytes:
        rest = self._heard(place, self._channels.pop(place).end())
        if not rest:
            return b""
        last = self._choice(place[0], self._walk(place[0]).more(place[1], rest))
        return plain_event({**self._envelope, "choices": [last]})

    def _choice(
        self, index: int, said: dict[str, Any] | None, finish: str | None = None
    ) -> dict[str, Any]:
        is_completion = self._envelope.get("object") == "text_completion"
        empty: dict[str, Any] = {_TEXT: ""} if is_completion else {_DELTA: {}}
        choice: dict[str, Any] = {"index": index, "finish_reason": finish, "logprobs": None}
        return {**choice, **(empty if said is None else said)}
