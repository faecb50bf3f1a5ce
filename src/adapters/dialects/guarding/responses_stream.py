from typing import Any

from adapters.dialects.guarding.server_events import Told, named_event, told_in
from adapters.dialects.guarding.walking import Walk
from application.inference.guarding.ports import Channel, OpenChannel, StreamFormat

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_JSON = frozenset({"response.function_call_arguments", "response.mcp_call_arguments"})
_TEXT = "response.output_text"
_PLACE = ("output_index", "content_index", "summary_index")

_Place = tuple[str, Any, Any, Any]


class ResponsesStream(StreamFormat):
    """Responses as OpenAI streams them. Events are numbered anew, since some are added."""

    def __init__(self, opens: OpenChannel, repeats: OpenChannel, *, holds_end: bool) -> None:
        self._opens = opens
        self._repeats = repeats
        self._holds_end = holds_end
        self._channels: dict[_Place, tuple[Channel, dict[str, Any]]] = {}
        self._response: dict[str, Any] = {}
        self._said: dict[_Place, str] = {}
        self._calls_tools = False
        self._number = 0
        self._ending = b""

    @property
    def texts(self) -> list[str]:
        return [] if self._calls_tools else list(self._said.values())

    def feed(self, block: bytes) -> bytes:
        return b"".join(self._shown(told) for told in told_in(block))

    def end(self) -> bytes:
        return b"".join(map(self._rest, tuple(self._channels))) + self._ending

    def cut(self) -> bytes | None:
        details = {"reason": "content_filter"}
        response = {**self._response, "status": "incomplete", "incomplete_details": details}
        return self._written({"type": "response.incomplete", "response": response})

    def _shown(self, told: Told) -> bytes:
        members = told.members
        if members is None:
            return told.raw
        kind = str(members.get("type", ""))
        stem, _, last = kind.rpartition(".")
        if last == "delta" and isinstance(members.get("delta"), str):
            return self._delta(stem, members)
        before = b""
        if last == "done":
            before = self._ended(stem, members)
        if kind in ("response.created", "response.in_progress"):
            self._response = members.get("response") or {}
        written = self._written(self._whole(members))
        if kind in _ENDS and self._holds_end:
            self._ending += before + written
            return b""
        return before + written

    def _delta(self, stem: str, members: dict[str, Any]) -> bytes:
        place = _place(stem, members)
        if place not in self._channels:
            self._channels[place] = self._opens(stem in _JSON), members
        self._calls_tools = self._calls_tools or stem in _JSON
        shown = self._channels[place][0].feed(members["delta"])
        return self._written(_saying(members, self._heard(place, shown)))

    def _ended(self, stem: str, members: dict[str, Any]) -> bytes:
        """What is held back of the text, or of all texts of the item, that is done."""
        if stem == "response.output_item":
            index = members.get("output_index")
            return b"".join(self._rest(one) for one in tuple(self._channels) if one[1] == index)
        return self._rest(_place(stem, members))

    def _rest(self, place: _Place) -> bytes:
        channel, members = self._channels.pop(place, (None, {}))
        rest = "" if channel is None else self._heard(place, channel.end())
        return self._written(_saying(members, rest)) if rest else b""

    def _heard(self, place: _Place, shown: str) -> str:
        if place[0] == _TEXT and self._holds_end:
            self._said[place] = self._said.get(place, "") + shown
        return shown

    def _whole(self, members: dict[str, Any]) -> dict[str, Any]:
        """An event that repeats texts in one piece."""
        seen: dict[str, Any] = Walk(self._repeats, is_answer=True).over(members)
        return seen

    def _written(self, members: dict[str, Any]) -> bytes:
        """``members`` as an event."""
        numbered = {**members, "sequence_number": self._number}
        self._number += 1
        return named_event(numbered)


class TypedStream(ResponsesStream):
    """Transcripts and images as OpenAI streams them: events like those of responses, that are not
    numbered. No word in them says that a filter broke them off."""

    def cut(self) -> bytes | None:
        return None

    def _written(self, members: dict[str, Any]) -> bytes:
        return named_event(members)


def _place(stem: str, members: dict[str, Any]) -> _Place:
    output, content, summary = (members.get(name) for name in _PLACE)
    return stem, output, content, summary


def _saying(members: dict[str, Any], text: str) -> dict[str, Any]:
    said = {**members, "delta": text}
    if "logprobs" in said:
        # Its tokens are the words before they were looked at.
        said["logprobs"] = []
    return said
