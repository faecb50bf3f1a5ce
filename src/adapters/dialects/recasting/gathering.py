"""The events of a whole stream as one answer, and an answer as events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from domain.inference.conversation.answer import Choice, GenerationAnswer
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
from domain.shared.usage import Usage


def gathered(events: Iterable[StreamEvent], usage: Usage) -> GenerationAnswer:
    """Raises ``ValueError`` for events that are no whole answer."""
    started: Started | None = None
    choices: dict[int, _Choice] = {}
    for event in events:
        if isinstance(event, Started):
            started = event
        elif not isinstance(event, Measured):
            choices.setdefault(event.choice, _Choice()).take(event)
    if started is None or not choices:
        raise ValueError("There is no answer.")
    return GenerationAnswer(
        id=started.id,
        model=started.model,
        created=started.created,
        choices=tuple(choices[index].whole() for index in sorted(choices)),
        usage=usage,
    )


@dataclass(slots=True)
class _Open:
    """A part, as far as it has come."""

    started: PartStarted
    text: str = ""
    opaque: Opaque | None = None

    def part(self) -> Part:
        begun, opaque = self.started, self.opaque
        value, of = (None, None) if opaque is None else (opaque.value, opaque.of)
        match begun.kind:
            case PartKind.TEXT:
                return Text(text=self.text)
            case PartKind.REFUSAL:
                return Refusal(text=self.text)
            case PartKind.TOOL_CALL:
                return ToolCall(
                    id=begun.call_id,
                    name=begun.name,
                    arguments=self.text,
                    opaque=value,
                    opaque_of=of,
                )
        return Thinking(
            text=self.text,
            id=begun.part_id,
            opaque=value,
            opaque_of=of,
            is_redacted=opaque is not None and opaque.is_redacted,
        )


@dataclass(slots=True)
class _Choice:
    parts: dict[int, _Open | Part] = field(default_factory=dict)
    stopped: Stopped | None = None

    def take(self, event: StreamEvent) -> None:
        match event:
            case PartStarted():
                self.parts[event.index] = _Open(event)
            case WholePart():
                self.parts[event.index] = event.part
            case Delta():
                self._open(event.index).text += event.text
            case Opaque():
                self._open(event.index).opaque = event
            case Stopped():
                self.stopped = event

    def whole(self) -> Choice:
        if self.stopped is None:
            raise ValueError("The answer has no end.")
        parts = (self.parts[index] for index in sorted(self.parts))
        return Choice(
            parts=tuple(one.part() if isinstance(one, _Open) else one for one in parts),
            stop=self.stopped.reason,
            stop_sequence=self.stopped.stop_sequence,
        )

    def _open(self, index: int) -> _Open:
        part = self.parts.get(index)
        if not isinstance(part, _Open):
            raise ValueError("More was said of a part that had not begun.")  # noqa: TRY004
        return part


def told(answer: GenerationAnswer) -> Iterator[StreamEvent]:
    """Each text in one piece."""
    yield Started(id=answer.id, model=answer.model, created=answer.created)
    for number, choice in enumerate(answer.choices):
        for index, part in enumerate(choice.parts):
            yield from _told_of(part, index, number)
        yield Stopped(reason=choice.stop, choice=number, stop_sequence=choice.stop_sequence)
    if answer.usage is not None:
        yield Measured(usage=answer.usage)


def _told_of(part: Part, index: int, choice: int) -> Iterator[StreamEvent]:
    begun = _begun(part, index, choice)
    if begun is None:
        yield WholePart(index=index, part=part, choice=choice)
        return
    yield begun[0]
    if begun[1]:
        yield Delta(index=index, text=begun[1], choice=choice)
    if isinstance(part, Thinking | ToolCall) and part.opaque and part.opaque_of:
        is_redacted = isinstance(part, Thinking) and part.is_redacted
        yield Opaque(
            index=index,
            value=part.opaque,
            of=part.opaque_of,
            choice=choice,
            is_redacted=is_redacted,
        )
    yield PartEnded(index=index, choice=choice)


def _begun(part: Part, index: int, choice: int) -> tuple[PartStarted, str] | None:
    """The beginning of a part, and its text."""
    match part:
        case Text(text=text):
            return PartStarted(index=index, choice=choice, kind=PartKind.TEXT), text
        case Refusal(text=text):
            return PartStarted(index=index, choice=choice, kind=PartKind.REFUSAL), text
        case Thinking(text=text):
            thought = PartStarted(
                index=index, choice=choice, kind=PartKind.THINKING, part_id=part.id
            )
            return thought, text
        case ToolCall(arguments=text):
            call = PartStarted(
                index=index,
                choice=choice,
                kind=PartKind.TOOL_CALL,
                call_id=part.id,
                name=part.name,
            )
            return call, text
    return None
