from collections.abc import AsyncIterator

import pytest

from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.translation.forced_call import ForcingGeneration
from application.inference.ports import StreamReport
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import (
    Delta,
    PartEnded,
    PartKind,
    PartStarted,
    Stopped,
    StreamEvent,
)
from domain.inference.conversation.parts import Text, Thinking, ToolCall
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    HostedTool,
    OutputKind,
    Role,
    Tool,
    ToolChoice,
    ToolMode,
    Turn,
)
from domain.shared.usage import Usage
from tests.fakes.openai_wire import a_request

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = FunctionTool(name="weather", description="Tells it.", parameters=SCHEMA)
OTHER = FunctionTool(name="other")
HELLO = Turn(role=Role.USER, parts=(Text(text="hello"),))
ARGUMENTS = '{"city":"Paris"}'


class Thinker(GenerationProvider):
    """Thinks, and says what it is to say."""

    def __init__(self, says: str = ARGUMENTS, stop: StopReason = StopReason.END) -> None:
        self._says, self._stop = says, stop
        self.asked: list[GenerationRequest] = []

    async def generate(self, call: GenerationCall) -> Generated:
        self.asked.append(call.request)
        said = (Text(text=self._says),) if self._says else ()
        choice = Choice(parts=(Thinking(text="hm"), *said), stop=self._stop)
        return Generated(answer=GenerationAnswer(id="a", model="m", choices=(choice,)))

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        self.asked.append(call.request)
        return Thoughts(self._says, self._stop)


class Thoughts(GenerationStream):
    def __init__(self, says: str, stop: StopReason) -> None:
        self._says, self._stop = says, stop

    @property
    def report(self) -> StreamReport:
        return StreamReport(usage=Usage())

    async def __aiter__(self) -> AsyncIterator[list[StreamEvent]]:
        yield [PartStarted(index=0, kind=PartKind.THINKING), PartEnded(index=0)]
        if self._says:
            yield [PartStarted(index=1, kind=PartKind.TEXT), Delta(index=1, text=self._says)]
            yield [PartEnded(index=1)]
        yield [Stopped(reason=self._stop)]

    async def aclose(self) -> None:
        """There is nothing to close."""


def asking(mode: ToolMode | None, *tools: Tool, name: str | None = None) -> GenerationCall:
    request = GenerationRequest(
        dialect="x",
        model="m",
        turns=(HELLO,),
        tools=tools,
        tool_choice=None if mode is None else ToolChoice(mode=mode, name=name),
    )
    return GenerationCall(request=request, asked=a_request())


async def choice_of(provider: GenerationProvider, call: GenerationCall) -> Choice:
    return (await ForcingGeneration(provider).generate(call)).answer.choices[0]


async def events_of(provider: GenerationProvider, call: GenerationCall) -> list[StreamEvent]:
    stream = await ForcingGeneration(provider).open_generation(call)
    return [event async for block in stream for event in block]


@pytest.mark.parametrize(
    "call",
    [
        asking(ToolMode.NAMED, OTHER, WEATHER, name="weather"),
        asking(ToolMode.REQUIRED, WEATHER),
    ],
)
async def test_what_is_said_to_the_schema_of_a_tool_is_its_call(call: GenerationCall) -> None:
    provider = Thinker()

    choice = await choice_of(provider, call)
    events = await events_of(provider, call)

    thought, called = choice.parts
    assert isinstance(called, ToolCall)
    assert thought == Thinking(text="hm")
    assert (called.name, called.arguments) == ("weather", ARGUMENTS)
    assert choice.stop is StopReason.TOOL_CALLS
    begun = [event for event in events if isinstance(event, PartStarted)][1]
    assert (begun.kind, begun.name, begun.call_id) == (PartKind.TOOL_CALL, "weather", called.id)
    assert events[-1] == Stopped(reason=StopReason.TOOL_CALLS)


async def test_the_model_is_told_of_the_tool_and_held_to_its_schema() -> None:
    provider = Thinker()

    await choice_of(provider, asking(ToolMode.REQUIRED, WEATHER))

    (told,) = provider.asked
    instruction, hello = told.turns
    assert told.output is not None
    assert (told.output.kind, told.output.schema) == (OutputKind.JSON_SCHEMA, SCHEMA)
    assert (told.tools, told.tool_choice) == ((), None)
    assert isinstance(instruction.parts[0], Text)
    assert "a call of 'weather', as JSON.\nTells it.\n" in instruction.parts[0].text
    assert hello == HELLO


async def test_a_call_that_was_cut_says_so() -> None:
    provider, call = Thinker('{"ci', StopReason.LENGTH), asking(ToolMode.REQUIRED, WEATHER)

    choice = await choice_of(provider, call)

    assert choice.stop is StopReason.LENGTH
    assert (await events_of(provider, call))[-1] == Stopped(reason=StopReason.LENGTH)


async def test_who_says_nothing_has_called_nothing() -> None:
    provider, call = Thinker(""), asking(ToolMode.REQUIRED, WEATHER)

    choice = await choice_of(provider, call)

    assert (choice.parts, choice.stop) == ((Thinking(text="hm"),), StopReason.END)
    assert (await events_of(provider, call))[-1] == Stopped(reason=StopReason.END)


@pytest.mark.parametrize(
    "call",
    [
        asking(None, WEATHER),
        asking(ToolMode.AUTO, WEATHER),
        asking(ToolMode.REQUIRED, WEATHER, OTHER),
        asking(ToolMode.NAMED, WEATHER, name="unknown"),
        asking(ToolMode.REQUIRED, HostedTool(dialect="x", type="search", definition={})),
    ],
)
async def test_nothing_else_is_changed(call: GenerationCall) -> None:
    provider = Thinker()

    choice = await choice_of(provider, call)
    events = await events_of(provider, call)

    assert provider.asked == [call.request, call.request]
    assert choice.parts[1] == Text(text=ARGUMENTS)
    assert events[-1] == Stopped(reason=StopReason.END)
