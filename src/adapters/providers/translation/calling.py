"""What clients ask of the calling of tools, and not every provider can promise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.translation.rewritten_stream import RewrittenStream
from adapters.providers.translation.tool_names import renamed, told_names, with_told
from domain.inference.conversation.answer import Choice
from domain.inference.conversation.events import (
    Delta,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import Part, ToolCall


class CalledTools:
    """What the client hears of the calls of one answer: by its own names for the tools, and with
    ``only_first`` no more than one of each choice."""

    def __init__(self, names: Mapping[str, str], *, only_first: bool) -> None:
        """``names`` are the client's by those that the provider was told."""
        self._names = names
        self._only_first = only_first
        self._calling: set[int] = set()
        self._unheard: set[tuple[int, int]] = set()

    def choice(self, number: int, choice: Choice) -> Choice:
        heard = [part for part in choice.parts if not self._is_another(number, part)]
        return replace(choice, parts=tuple(renamed(part, self._names) for part in heard))

    def events(self, events: list[StreamEvent]) -> list[StreamEvent]:
        return [heard for event in events if (heard := self._event(event)) is not None]

    def _event(self, event: StreamEvent) -> StreamEvent | None:
        match event:
            case PartStarted(kind=PartKind.TOOL_CALL):
                if self._is_next(event.choice):
                    self._unheard.add((event.choice, event.index))
                    return None
                return replace(event, name=self._names.get(event.name, event.name))
            case WholePart():
                if self._is_another(event.choice, event.part):
                    return None
                return replace(event, part=renamed(event.part, self._names))
            case Delta() | Opaque() | PartEnded():
                return None if (event.choice, event.index) in self._unheard else event
        return event

    def _is_another(self, choice: int, part: Part) -> bool:
        return isinstance(part, ToolCall) and self._is_next(choice)

    def _is_next(self, choice: int) -> bool:
        if self._only_first and choice in self._calling:
            return True
        self._calling.add(choice)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallingGeneration(GenerationProvider):
    """Asks ``generation``, whose tools may have names as in ``names`` only; ``None`` for any."""

    generation: GenerationProvider
    names: re.Pattern[str] | None = None

    async def generate(self, call: GenerationCall) -> Generated:
        call, called = self._prepared(call)
        generated = await self.generation.generate(call)
        if called is None:
            return generated
        answer = generated.answer
        choices = tuple(called.choice(place, one) for place, one in enumerate(answer.choices))
        return replace(generated, answer=replace(answer, choices=choices))

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        call, called = self._prepared(call)
        stream = await self.generation.open_generation(call)
        return stream if called is None else RewrittenStream(stream, called.events)

    def _prepared(self, call: GenerationCall) -> tuple[GenerationCall, CalledTools | None]:
        request = call.request
        told = {} if self.names is None else told_names(request, self.names)
        only_first = request.parallel_tools is False
        if not told and not only_first:
            return call, None
        client_names = {name: own for own, name in told.items()}
        called = CalledTools(client_names, only_first=only_first)
        return (replace(call, request=with_told(request, told)) if told else call), called
