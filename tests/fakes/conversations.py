"""Requests in the common language of conversations, and streams of it put together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from domain.inference.conversation.answer import StopReason
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
from domain.inference.conversation.parts import Part, Refusal, Text, Thinking, ToolCall
from domain.inference.conversation.request import GenerationRequest, Role, Turn
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.usage import Usage


def a_chat_model(upstream_name: str, **options: object) -> ServedModel:
    return ServedModel(
        name="large",
        kind=ModelKind.CHAT,
        provider="acme",
        upstream_name=upstream_name,
        options=options,
    )


def said(role: Role, *parts: Part | str) -> Turn:
    return Turn(
        role=role, parts=tuple(Text(text=one) if isinstance(one, str) else one for one in parts)
    )


def asking(*turns: Turn, **members: Any) -> GenerationRequest:
    return GenerationRequest(
        dialect=members.pop("dialect", "openai"),
        model="large",
        turns=turns or (said(Role.USER, "hello there world"),),
        **members,
    )


@dataclass
class _Open:
    started: PartStarted
    text: str = ""
    opaque: str | None = None
    opaque_of: str | None = None
    is_redacted: bool = False

    def part(self) -> Part:
        match self.started.kind:
            case PartKind.TEXT:
                return Text(text=self.text)
            case PartKind.REFUSAL:
                return Refusal(text=self.text)
            case PartKind.THINKING:
                return Thinking(
                    text=self.text,
                    id=self.started.part_id,
                    opaque=self.opaque,
                    opaque_of=self.opaque_of,
                    is_redacted=self.is_redacted,
                )
            case PartKind.TOOL_CALL:
                return ToolCall(
                    id=self.started.call_id,
                    name=self.started.name,
                    arguments=self.text,
                    opaque=self.opaque,
                    opaque_of=self.opaque_of,
                )


@dataclass
class Assembled:
    """A stream of events put together, with everything that the language promises checked."""

    id: str = ""
    model: str = ""
    usage: Usage | None = None
    parts: dict[int, list[Part]] = field(default_factory=dict)
    stops: dict[int, StopReason] = field(default_factory=dict)
    stop_sequences: dict[int, str | None] = field(default_factory=dict)
    logprobs: list[object] = field(default_factory=list)


class _Assembly:
    def __init__(self) -> None:
        self.result = Assembled()
        self._open: dict[tuple[int, int], _Open] = {}
        self._whole: dict[tuple[int, int], Part] = {}
        self._begun = 0

    def add(self, event: StreamEvent) -> None:
        self._begun += 1
        if isinstance(event, Started):
            assert self._begun == 1
            self.result.id, self.result.model = event.id, event.model
            return
        assert self._begun > 1
        if isinstance(event, Measured):
            self.result.usage = event.usage
        elif isinstance(event, Stopped):
            assert event.choice not in self.result.stops
            assert not [one for one in self._open if one[0] == event.choice]
            self.result.stops[event.choice] = event.reason
            self.result.stop_sequences[event.choice] = event.stop_sequence
        else:
            self._part(event, (event.choice, event.index))

    def _part(
        self,
        event: PartStarted | Delta | Opaque | PartEnded | WholePart,
        key: tuple[int, int],
    ) -> None:
        assert event.choice not in self.result.stops
        if isinstance(event, PartStarted | WholePart):
            begun = [one for one in (*self._open, *self._whole) if one[0] == event.choice]
            assert event.index == len(begun)
        if isinstance(event, PartStarted):
            self._open[key] = _Open(event)
        elif isinstance(event, WholePart):
            self._whole[key] = event.part
        elif isinstance(event, PartEnded):
            self._whole[key] = self._open.pop(key).part()
        elif isinstance(event, Opaque):
            part = self._open[key]
            part.opaque, part.opaque_of = event.value, event.of
            part.is_redacted = event.is_redacted
        else:
            self._open[key].text += event.text
            if event.logprobs is not None:
                self.result.logprobs.append(event.logprobs)

    def end(self) -> Assembled:
        assert not self._open
        for (choice, _), part in sorted(self._whole.items(), key=lambda one: one[0]):
            self.result.parts.setdefault(choice, []).append(part)
        return self.result


def assembled(events: Iterable[StreamEvent]) -> Assembled:
    assembly = _Assembly()
    for event in events:
        assembly.add(event)
    return assembly.end()
