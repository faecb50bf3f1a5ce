"""The items of a stream that is being written."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from adapters.dialects.openai_responses.calls import ClientTools
from adapters.dialects.openai_responses.output_items import (
    COMPLETED,
    ItemIds,
    call_id,
    other_items,
    sealed_items,
)
from adapters.dialects.openai_responses.written_parts import (
    WrittenCall,
    WrittenMessage,
    WrittenPart,
    WrittenSaying,
    WrittenThought,
)
from domain.inference.conversation.events import (
    Delta,
    Opaque,
    PartKind,
    PartStarted,
    WholePart,
)
from domain.inference.conversation.parts import Part, Refusal, Text, ToolCall
from domain.inference.conversation.request import JsonObject, Tool

_SAID = frozenset({PartKind.TEXT, PartKind.REFUSAL})
_Events = Iterable[JsonObject]


class WrittenItems:
    """Turns parts into items. What the model says stands in one message until it does something
    else. Every method returns the events that tell of it."""

    def __init__(self, answer_id: str, tools: Iterable[Tool], *, shows_summary: bool) -> None:
        self.output: list[JsonObject] = []
        self.says_refusal = False
        self._ids = ItemIds(answer_id)
        self._tools = ClientTools(tools)
        self._shows_summary = shows_summary
        self._parts: dict[int, WrittenPart] = {}
        self._calls: dict[int, ToolCall] = {}
        self._message: WrittenMessage | None = None

    def start(self, event: PartStarted | WholePart) -> _Events:
        if isinstance(event, WholePart):
            return self._whole(event.index, event.part)
        if event.kind in _SAID:
            return self._start_saying(event)
        return self._start_other(event)

    def add(self, event: Delta | Opaque) -> _Events:
        part = self._parts.get(event.index)
        if part is None:
            return self._late(event) if isinstance(event, Opaque) else ()
        if isinstance(event, Opaque):
            part.keep(event)
            return ()
        return part.add(event)

    def end(self, index: int) -> _Events:
        part = self._parts.pop(index, None)
        if part is None:
            return
        yield from part.end()
        if isinstance(part, WrittenCall):
            self._calls[index] = part.call
            for item in sealed_items(part.call, self._ids):
                yield from self._put(item)

    def close(self, status: str) -> _Events:
        """End what is still open; ``status`` is that of a message that was."""
        for index in list(self._parts):
            yield from self.end(index)
        yield from self._close_message(status)

    def _start_saying(self, event: PartStarted) -> Iterator[JsonObject]:
        if self._message is None:
            self._message = WrittenMessage(self._ids.new("msg"), len(self.output))
            self.output.append(self._message.item)
            yield self._message.added()
        is_refusal = event.kind is PartKind.REFUSAL
        self.says_refusal = self.says_refusal or is_refusal
        saying = WrittenSaying(self._message, is_refusal=is_refusal)
        self._parts[event.index] = saying
        yield saying.added()

    def _start_other(self, event: PartStarted) -> Iterator[JsonObject]:
        yield from self._close_message()
        place = len(self.output)
        part: WrittenCall | WrittenThought
        if event.kind is PartKind.TOOL_CALL:
            call = ToolCall(id=event.call_id, name=event.name, arguments="")
            item_id = call_id(call.name, self._ids, self._tools)
            part = WrittenCall(item_id, place, call, self._tools)
        else:
            item_id = event.part_id or self._ids.new("rs")
            part = WrittenThought(item_id, place, shows_summary=self._shows_summary)
        self.output.append(part.item)
        self._parts[event.index] = part
        yield part.added()

    def _close_message(self, status: str = COMPLETED) -> Iterator[JsonObject]:
        message, self._message = self._message, None
        if message is not None:
            yield from message.close(status)

    def _late(self, event: Opaque) -> Iterator[JsonObject]:
        call = self._calls.get(event.index)
        if call is not None:
            for item in sealed_items(
                replace(call, opaque=event.value, opaque_of=event.of), self._ids
            ):
                yield from self._put(item)

    def _whole(self, index: int, part: Part) -> Iterator[JsonObject]:
        match part:
            case Text(text=text):
                yield from self._at_once(PartStarted(index=index, kind=PartKind.TEXT), text)
            case Refusal(text=text):
                yield from self._at_once(PartStarted(index=index, kind=PartKind.REFUSAL), text)
            case _:
                yield from self._close_message()
                shows = self._shows_summary
                for item in other_items(part, self._ids, self._tools, shows_summary=shows):
                    yield from self._put(item)

    def _at_once(self, started: PartStarted, text: str) -> Iterator[JsonObject]:
        yield from self.start(started)
        yield from self.add(Delta(index=started.index, text=text))
        yield from self.end(started.index)

    def _put(self, item: JsonObject) -> Iterator[JsonObject]:
        place = len(self.output)
        self.output.append(item)
        for kind in ("added", "done"):
            yield {"type": f"response.output_item.{kind}", "output_index": place, "item": item}
