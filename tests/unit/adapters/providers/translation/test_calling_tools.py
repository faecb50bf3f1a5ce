import re
from collections.abc import AsyncIterator

import pytest

from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from adapters.providers.translation.calling import CallingGeneration
from adapters.providers.translation.tool_names import PLAIN_NAMES, plainly_named
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
from domain.inference.conversation.parts import Part, Text, ToolCall, ToolResult
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    Role,
    ToolChoice,
    ToolMode,
    Turn,
)
from domain.shared.usage import Usage
from tests.fakes.openai_wire import a_request

DOTTED = "files.read all"
LONG = "mcp__a_server_with_a_name__" + "and_a_tool_with_a_longer_one" * 3


class Caller(GenerationProvider):
    """Calls each tool that it is told of, in their order."""

    def __init__(self) -> None:
        self.asked: list[GenerationRequest] = []

    async def generate(self, call: GenerationCall) -> Generated:
        parts: list[Part] = [Text(text="so")]
        parts += [ToolCall(id=name, name=name, arguments="{}") for name in self._told(call)]
        choice = Choice(parts=tuple(parts), stop=StopReason.TOOL_CALLS)
        return Generated(answer=GenerationAnswer(id="a", model="m", choices=(choice,)))

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        return Calls(self._told(call))

    def _told(self, call: GenerationCall) -> list[str]:
        self.asked.append(call.request)
        return [tool.name for tool in call.request.tools if isinstance(tool, FunctionTool)]


class Calls(GenerationStream):
    def __init__(self, names: list[str]) -> None:
        self._names = names

    @property
    def report(self) -> StreamReport:
        return StreamReport(usage=Usage())

    async def __aiter__(self) -> AsyncIterator[list[StreamEvent]]:
        for index, name in enumerate(self._names):
            kind = PartKind.TOOL_CALL
            yield [PartStarted(index=index, kind=kind, call_id=name, name=name)]
            yield [Delta(index=index, text="{}"), PartEnded(index=index)]
        yield [Stopped(reason=StopReason.TOOL_CALLS)]

    async def aclose(self) -> None:
        """There is nothing to close."""


def asking(*names: str, parallel: bool | None = None, **members: object) -> GenerationCall:
    request = GenerationRequest(
        dialect="x",
        model="m",
        turns=(Turn(role=Role.USER, parts=(Text(text="go"),)),),
        tools=tuple(FunctionTool(name=name) for name in names),
        parallel_tools=parallel,
        **members,  # type: ignore[arg-type]
    )
    return GenerationCall(request=request, asked=a_request())


def calls_in(events: list[StreamEvent]) -> list[str]:
    return [event.name for event in events if isinstance(event, PartStarted)]


async def answer_of(generation: GenerationProvider, call: GenerationCall) -> list[str]:
    answer = (await generation.generate(call)).answer
    return [part.name for part in answer.choices[0].parts if isinstance(part, ToolCall)]


async def stream_of(generation: GenerationProvider, call: GenerationCall) -> list[StreamEvent]:
    stream = await generation.open_generation(call)
    return [event async for block in stream for event in block]


@pytest.mark.parametrize("name", [DOTTED, LONG, "1st", "日本", ""])
async def test_a_name_that_a_provider_refuses_is_told_otherwise_and_heard_as_it_was(
    name: str,
) -> None:
    caller = Caller()
    generation = CallingGeneration(generation=caller, names=PLAIN_NAMES)
    call = asking("plain", name, tool_choice=ToolChoice(mode=ToolMode.NAMED, name=name))

    called = await answer_of(generation, call)
    streamed = calls_in(await stream_of(generation, call))

    plain, told = (tool.name for tool in caller.asked[0].tools if isinstance(tool, FunctionTool))
    choice = caller.asked[0].tool_choice
    assert PLAIN_NAMES.fullmatch(told)
    assert plain == "plain"
    assert choice is not None
    assert choice.name == told
    assert caller.asked[1] == caller.asked[0]
    assert called == streamed == ["plain", name]


async def test_earlier_calls_have_the_names_that_are_told_too() -> None:
    caller = Caller()
    turns = (
        Turn(role=Role.ASSISTANT, parts=(ToolCall(id="1", name=DOTTED, arguments="{}"),)),
        Turn(role=Role.TOOL, parts=(ToolResult(call_id="1", name=DOTTED, parts=()),)),
    )
    call = asking()
    call = GenerationCall(
        request=GenerationRequest(dialect="x", model="m", turns=turns), asked=call.asked
    )

    await CallingGeneration(generation=caller, names=PLAIN_NAMES).generate(call)

    names = [part.name for turn in caller.asked[0].turns for part in turn.parts]  # type: ignore[union-attr]
    assert len(set(names)) == 1
    assert PLAIN_NAMES.fullmatch(str(names[0]))


async def test_names_that_become_alike_are_told_apart() -> None:
    caller = Caller()
    generation = CallingGeneration(generation=caller, names=re.compile("[a-z_0-9]+"))

    called = await answer_of(generation, asking("a.b", "a-b", "a_b"))

    assert called == ["a.b", "a-b", "a_b"]


async def test_who_wants_one_call_at_a_time_hears_of_the_first() -> None:
    generation = CallingGeneration(generation=Caller())

    called = await answer_of(generation, asking("a", "b", parallel=False))
    streamed = await stream_of(generation, asking("a", "b", "c", parallel=False))

    assert called == ["a"]
    assert calls_in(streamed) == ["a"]
    assert len(streamed) == 4


async def test_all_calls_are_heard_by_those_who_do_not_say_so() -> None:
    generation = CallingGeneration(generation=Caller(), names=PLAIN_NAMES)

    called = await answer_of(generation, asking("a", "b", parallel=True))
    streamed = await stream_of(generation, asking("a", "b"))

    assert called == calls_in(streamed) == ["a", "b"]


async def test_who_only_counts_is_told_the_same_names() -> None:
    caller, call = Caller(), asking("plain", DOTTED)
    await CallingGeneration(generation=caller, names=PLAIN_NAMES).generate(call)

    counted = plainly_named(call.request)

    assert counted == caller.asked[0]
    assert counted != call.request
