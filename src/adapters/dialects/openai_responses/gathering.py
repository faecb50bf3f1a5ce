"""What was said in a stream that has no end."""

from adapters.dialects.openai_responses.calls import ClientTools
from adapters.dialects.openai_responses.output_items import INCOMPLETE, ItemIds, output_items
from adapters.dialects.openai_responses.stream_reading import ResponsesStreamReader
from domain.inference.conversation.events import (
    Delta,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import Part, Refusal, Text, Thinking, ToolCall
from domain.inference.conversation.request import JsonObject
from domain.shared.errors import StoaError


def gathered_items(data: bytes) -> list[JsonObject]:
    """The items as far as they came. Thoughts that did not come to their end mean nothing to
    anybody, and are left out."""
    gathered = _Gathered()
    for event in _events(data):
        gathered.take(event)
    return output_items(
        gathered.parts(),
        ItemIds(gathered.id),
        ClientTools(()),
        status=INCOMPLETE,
        shows_summary=False,
    )


def _events(data: bytes) -> list[StreamEvent]:
    reader, events = ResponsesStreamReader(), list[StreamEvent]()
    for block in data.split(b"\n\n"):
        try:
            events += reader.feed(block + b"\n\n")
        except StoaError:
            # It is how the stream failed, which is told elsewhere.
            break
    return events


class _Gathered:
    def __init__(self) -> None:
        self.id = ""
        self._begun: dict[int, PartStarted] = {}
        self._texts: dict[int, list[str]] = {}
        self._opaque: dict[int, Opaque] = {}
        self._ended: set[int] = set()
        self._whole: dict[int, Part] = {}

    def take(self, event: StreamEvent) -> None:
        match event:
            case Started():
                self.id = event.id
            case PartStarted():
                self._begun[event.index] = event
                self._texts[event.index] = []
            case Delta():
                self._texts[event.index].append(event.text)
            case Opaque():
                self._opaque[event.index] = event
            case PartEnded():
                self._ended.add(event.index)
            case WholePart():
                self._whole[event.index] = event.part
            case _:
                # Why it stopped and what it used is told elsewhere.
                return

    def parts(self) -> list[Part]:
        indices = sorted({*self._begun, *self._whole})
        found = (self._whole.get(index) or self._part(index) for index in indices)
        return [part for part in found if part is not None]

    def _part(self, index: int) -> Part | None:
        begun, text = self._begun[index], "".join(self._texts[index])
        opaque = self._opaque.get(index)
        value, of = (opaque.value, opaque.of) if opaque else (None, None)
        match begun.kind:
            case PartKind.TEXT:
                return Text(text=text)
            case PartKind.REFUSAL:
                return Refusal(text=text)
            case PartKind.THINKING if index not in self._ended:
                return None
            case PartKind.THINKING:
                return Thinking(text=text, id=begun.part_id, opaque=value, opaque_of=of)
            case PartKind.TOOL_CALL:
                return ToolCall(
                    id=begun.call_id, name=begun.name, arguments=text, opaque=value, opaque_of=of
                )
