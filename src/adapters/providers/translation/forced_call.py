"""A certain tool that must be called, at providers that can hold an answer to a schema and cannot
hold it to a tool: the answer is the arguments."""

from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.translation.rewritten_stream import RewrittenStream
from domain.inference.conversation.answer import Choice, StopReason
from domain.inference.conversation.events import (
    PartKind,
    PartStarted,
    Stopped,
    StreamEvent,
)
from domain.inference.conversation.parts import Text, ToolCall
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
    Role,
    ToolMode,
    Turn,
)

_NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}
_ID_LENGTH = 16


class ForcedCall:
    """Of one answer. A call that was cut stays one that was cut."""

    def __init__(self, request: GenerationRequest, tool: FunctionTool) -> None:
        self._request = request
        self._tool = tool
        # Another one for each turn of a conversation.
        said = msgspec.json.encode(request.turns)
        self._call_id = f"call_{sha256(said).hexdigest()[:_ID_LENGTH]}"
        self._is_called = False

    @classmethod
    def of(cls, request: GenerationRequest) -> "ForcedCall | None":
        """``None`` unless it is one certain function that must be called."""
        choice = request.tool_choice
        if choice is None or choice.mode not in (ToolMode.NAMED, ToolMode.REQUIRED):
            return None
        wanted = [
            tool
            for tool in request.tools
            if choice.mode is ToolMode.REQUIRED or getattr(tool, "name", None) == choice.name
        ]
        if len(wanted) != 1 or not isinstance(wanted[0], FunctionTool):
            return None
        return cls(request, wanted[0])

    def told(self) -> GenerationRequest:
        tool = self._tool
        schema = tool.parameters or _NO_PARAMETERS
        told = (
            f"Answer with nothing but the arguments of a call of '{tool.name}', as JSON.",
            tool.description or "",
            msgspec.json.encode(schema).decode(),
        )
        instruction = Text(text="\n".join(filter(None, told)))
        return replace(
            self._request,
            turns=(Turn(role=Role.SYSTEM, parts=(instruction,)), *self._request.turns),
            tools=(),
            tool_choice=None,
            output=OutputFormat(kind=OutputKind.JSON_SCHEMA, name=tool.name, schema=schema),
        )

    def choice(self, choice: Choice) -> Choice:
        text = "".join(part.text for part in choice.parts if isinstance(part, Text))
        if not text:
            return choice
        others = (part for part in choice.parts if not isinstance(part, Text))
        call = ToolCall(id=self._call_id, name=self._tool.name, arguments=text)
        return replace(choice, parts=(*others, call), stop=_stop(choice.stop))

    def events(self, events: list[StreamEvent]) -> list[StreamEvent]:
        return [self._event(event) for event in events]

    def _event(self, event: StreamEvent) -> StreamEvent:
        match event:
            case PartStarted(kind=PartKind.TEXT):
                self._is_called = True
                name, call_id = self._tool.name, self._call_id
                return replace(event, kind=PartKind.TOOL_CALL, call_id=call_id, name=name)
            case Stopped() if self._is_called:
                return replace(event, reason=_stop(event.reason))
        return event


@dataclass(frozen=True, slots=True)
class ForcingGeneration(GenerationProvider):
    """Asks ``generation``."""

    generation: GenerationProvider

    async def generate(self, call: GenerationCall) -> Generated:
        forced = ForcedCall.of(call.request)
        if forced is None:
            return await self.generation.generate(call)
        generated = await self.generation.generate(replace(call, request=forced.told()))
        choices = tuple(map(forced.choice, generated.answer.choices))
        return replace(generated, answer=replace(generated.answer, choices=choices))

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        forced = ForcedCall.of(call.request)
        if forced is None:
            return await self.generation.open_generation(call)
        told = replace(call, request=forced.told())
        return RewrittenStream(await self.generation.open_generation(told), forced.events)


def _stop(reason: StopReason) -> StopReason:
    return StopReason.TOOL_CALLS if reason is StopReason.END else reason
