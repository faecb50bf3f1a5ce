"""The parts of a stream that is being read, by the items that they stand in."""

from dataclasses import dataclass, field

from adapters.dialects.fields import Fields
from adapters.dialects.openai_responses.envelope import unseal
from adapters.dialects.openai_responses.item_reading import ItemReader, read_thought
from adapters.dialects.openai_responses.tools import full_name
from domain.inference.conversation.events import (
    Delta,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import Part, Refusal, Text, Thinking, ToolCall

_BETWEEN_THOUGHTS = "\n\n"


@dataclass(slots=True)
class _Item:
    """``parts`` are the numbers of what is open in it, by the place of the content."""

    id: str | None = None
    parts: dict[int, int] = field(default_factory=dict)
    begun: int = 0
    summary: int | None = None
    shows_thoughts: bool = False
    has_deltas: bool = False
    is_done: bool = False


class OpenParts:
    """Each method reads one kind of event."""

    def __init__(self) -> None:
        self._items: dict[int, _Item] = {}
        self._calls: dict[str, int] = {}
        self._next = 0
        self._kinds: list[Part] = []

    @property
    def said(self) -> tuple[Part, ...]:
        """One part of each kind that there was."""
        return tuple(self._kinds)

    def item_added(self, fields: Fields) -> list[StreamEvent]:
        item, added = self._item(fields), fields.object("item") or Fields({})
        kind = added.text("type")
        item.id = added.text("id")
        if kind == "function_call":
            return [self._call(item, added)]
        sealed = unseal(added.text("encrypted_content") or "")
        if kind == "reasoning" and not (sealed and sealed.call_id):
            return [self._start(item, 0, PartKind.THINKING)]
        return []

    def content_added(self, fields: Fields) -> list[StreamEvent]:
        part = fields.object("part") or Fields({})
        kind = {"output_text": PartKind.TEXT, "refusal": PartKind.REFUSAL}.get(
            part.text("type") or ""
        )
        item, index = self._item(fields), fields.integer("content_index") or 0
        return [] if kind is None or index in item.parts else [self._start(item, index, kind)]

    def text_delta(self, fields: Fields) -> list[StreamEvent]:
        return self._said(fields, PartKind.TEXT)

    def refusal_delta(self, fields: Fields) -> list[StreamEvent]:
        return self._said(fields, PartKind.REFUSAL)

    def arguments_delta(self, fields: Fields) -> list[StreamEvent]:
        item = self._item(fields)
        item.has_deltas = True
        if 0 not in item.parts:
            raise fields.wrong("output_index", "that of a function call")
        return [Delta(index=item.parts[0], text=fields.text("delta") or "")]

    def summary_delta(self, fields: Fields) -> list[StreamEvent]:
        item = self._item(fields)
        place = fields.integer("summary_index") or 0
        text = fields.text("delta") or ""
        if item.summary is not None and item.summary != place:
            text = _BETWEEN_THOUGHTS + text
        item.summary = place
        return self._thought(item, text)

    def thought_delta(self, fields: Fields) -> list[StreamEvent]:
        item = self._item(fields)
        # Who tells a summary too has said it there.
        if item.summary is not None:
            return []
        item.shows_thoughts = True
        return self._thought(item, fields.text("delta") or "")

    def content_done(self, fields: Fields) -> list[StreamEvent]:
        item, place = self._item(fields), fields.integer("content_index") or 0
        part = fields.object("part") or Fields({})
        if place not in item.parts or part.text("type") == "reasoning_text":
            return []
        return [PartEnded(index=item.parts.pop(place))]

    def item_done(self, fields: Fields) -> list[StreamEvent]:
        item, done = self._item(fields), fields.object("item") or Fields({})
        if item.is_done:
            return []
        item.is_done = True
        match done.peek("type"):
            case "message":
                return self._message_done(item, done)
            case "function_call":
                return self._call_done(item, done)
            case "reasoning":
                return self._thought_done(item, done)
            case _:
                return self._whole(done)

    def close(self) -> list[StreamEvent]:
        """End what is still open."""
        ended = sorted(part for item in self._items.values() for part in item.parts.values())
        self._items.clear()
        return [PartEnded(index=index) for index in ended]

    def _message_done(self, item: _Item, done: Fields) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        if not item.begun:
            reader = ItemReader(is_strict=False)
            reader.read(done.rest(), "item")
            for part in reader.answer:
                events += self._whole_part(part)
        events += [PartEnded(index=index) for index in item.parts.values()]
        item.parts.clear()
        return events

    def _call_done(self, item: _Item, done: Fields) -> list[StreamEvent]:
        events: list[StreamEvent] = [] if item.parts else [self._call(item, done)]
        index = item.parts.pop(0)
        arguments = done.text("arguments")
        if arguments and not item.has_deltas:
            events.append(Delta(index=index, text=arguments))
        return [*events, PartEnded(index=index)]

    def _thought_done(self, item: _Item, done: Fields) -> list[StreamEvent]:
        thought = read_thought(done)
        if not isinstance(thought, Thinking):
            index = self._calls.get(thought.call_id)
            if index is None:
                return []
            return [Opaque(index=index, value=thought.value, of=thought.of)]
        item.id = thought.id
        events: list[StreamEvent] = [] if item.parts else [self._start(item, 0, PartKind.THINKING)]
        index = item.parts.pop(0)
        if thought.text and item.summary is None and not item.shows_thoughts:
            events.append(Delta(index=index, text=thought.text))
        if thought.opaque is not None and thought.opaque_of is not None:
            events.append(
                Opaque(
                    index=index,
                    value=thought.opaque,
                    of=thought.opaque_of,
                    is_redacted=thought.is_redacted,
                )
            )
        return [*events, PartEnded(index=index)]

    def _whole(self, done: Fields) -> list[StreamEvent]:
        reader = ItemReader(is_strict=False)
        reader.read(done.rest(), "item")
        return [event for part in reader.answer for event in self._whole_part(part)]

    def _whole_part(self, part: Part) -> list[StreamEvent]:
        self._kinds.append(part)
        self._next += 1
        return [WholePart(index=self._next - 1, part=part)]

    def _said(self, fields: Fields, kind: PartKind) -> list[StreamEvent]:
        item, place = self._item(fields), fields.integer("content_index") or 0
        events: list[StreamEvent] = []
        if place not in item.parts:
            events.append(self._start(item, place, kind))
        logprobs = fields.list("logprobs")
        delta = Delta(
            index=item.parts[place],
            text=fields.text("delta") or "",
            logprobs={"content": logprobs} if logprobs else None,
        )
        return [*events, delta]

    def _thought(self, item: _Item, text: str) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        if 0 not in item.parts:
            events.append(self._start(item, 0, PartKind.THINKING))
        return [*events, Delta(index=item.parts[0], text=text)]

    def _call(self, item: _Item, added: Fields) -> PartStarted:
        call_id = added.needed("call_id")
        name = full_name(added.text("namespace"), added.needed("name"))
        started = self._start(item, 0, PartKind.TOOL_CALL, call_id=call_id, name=name)
        self._calls[call_id] = started.index
        return started

    def _start(
        self, item: _Item, place: int, kind: PartKind, *, call_id: str = "", name: str = ""
    ) -> PartStarted:
        index = item.parts[place] = self._next
        self._next += 1
        item.begun += 1
        if kind is PartKind.TOOL_CALL:
            self._kinds.append(ToolCall(id=call_id, name=name, arguments=""))
        else:
            self._kinds.append(Refusal(text="") if kind is PartKind.REFUSAL else Text(text=""))
        part_id = item.id if kind is PartKind.THINKING else None
        return PartStarted(index=index, kind=kind, call_id=call_id, name=name, part_id=part_id)

    def _item(self, fields: Fields) -> _Item:
        return self._items.setdefault(fields.integer("output_index") or 0, _Item())
