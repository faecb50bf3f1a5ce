"""What both of OpenAI's APIs can say survives the way through the other one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.dialects.openai_chat.dialect import MAX_COMPLETION_TOKENS, OpenAIChat
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.parts import Image, Part, Text, Thinking, ToolCall, ToolResult
from domain.inference.conversation.request import (
    GenerationRequest,
    HostedTool,
    Reasoning,
    Role,
    Turn,
)
from domain.inference.errors import UnsupportedByModelError
from domain.models.served_model import Capability
from tests.builders import a_model
from tests.fixtures.said_in_responses import (
    NAME,
    calls,
    choices,
    counts,
    images,
    names,
    outputs,
    samplings,
    tools,
    usages,
    words,
)
from tests.fixtures.streamed import answer_of, events_of

CHAT, RESPONSES = OpenAIChat(MAX_COMPLETION_TOKENS), OpenAIResponsesDialect()
MODEL = a_model(name="large", upstream_name="large", capabilities=frozenset({Capability.REASONING}))
# Machines are busy, and pydantic makes its models when they are first needed.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPOKEN = words.filter(bool)


def _is_at_an_address(image: Image) -> bool:
    """Chats cannot name images that a provider keeps."""
    return not hasattr(image.source, "id")


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Turn, ...]:
    turns = [Turn(role=Role.SYSTEM, parts=(Text(text=draw(SPOKEN)),))]
    for _ in range(draw(st.integers(1, 3))):
        said: list[Part] = [Text(text=draw(SPOKEN))]
        said += draw(st.lists(images.filter(_is_at_an_address), max_size=2))
        turns.append(Turn(role=Role.USER, parts=tuple(said)))
        called = draw(st.lists(calls, max_size=1))
        turns.append(Turn(role=Role.ASSISTANT, parts=(Text(text=draw(SPOKEN)), *called)))
        for call in called:
            result = ToolResult(call_id=call.id, name=call.name, parts=(Text(text=draw(SPOKEN)),))
            turns.append(Turn(role=Role.TOOL, parts=(result,)))
    return tuple(turns)


# Without the members that cannot change an answer: who asks, say, is nothing for another dialect.
requests = st.builds(
    GenerationRequest,
    dialect=st.just(NAME),
    model=st.just("large"),
    turns=conversations(),
    stream=st.booleans(),
    include_usage=st.just(True),
    max_output_tokens=st.none() | st.integers(1, 5000),
    sampling=samplings,
    tools=st.lists(tools.filter(lambda tool: not isinstance(tool, HostedTool)), max_size=2).map(
        tuple
    ),
    tool_choice=st.none() | choices,
    parallel_tools=st.sampled_from([None, True, False]),
    output=st.none() | outputs,
    reasoning=st.none() | st.builds(Reasoning, effort=st.sampled_from(["minimal", "low", "high"])),
    verbosity=st.sampled_from([None, "low", "high"]),
)


@PATIENT
@given(requests)
def test_a_request_survives_the_way_through_chat(request: GenerationRequest) -> None:
    through = CHAT.read_request(CHAT.write_request(request, MODEL))

    back = RESPONSES.read_request(RESPONSES.write_request(through, MODEL))

    assert _alike(back) == _alike(request)


def _alike(request: GenerationRequest) -> GenerationRequest:
    """But for what a default is written out as, for the wish for usage, which responses always
    have, and for how to call tools where there are none."""
    written = [
        replace(tool, strict=bool(tool.strict), parameters=tool.parameters or None)
        for tool in request.tools
        if not isinstance(tool, HostedTool)
    ]
    if not written:
        request = replace(request, parallel_tools=None, tool_choice=None)
    return replace(request, tools=tuple(written), include_usage=True)


@st.composite
def answers(draw: st.DrawFn) -> GenerationAnswer:
    called = draw(st.lists(calls, max_size=2, unique_by=lambda call: call.id))
    parts: list[Part] = [Text(text=draw(SPOKEN)), *called]
    stop = (
        StopReason.TOOL_CALLS
        if called
        else draw(st.sampled_from([StopReason.END, StopReason.LENGTH, StopReason.FILTERED]))
    )
    return GenerationAnswer(
        id=draw(names),
        model="large",
        choices=(Choice(parts=tuple(parts), stop=stop),),
        usage=draw(usages),
        created=draw(counts),
        service_tier="default",
    )


ASKED = GenerationRequest(dialect=NAME, model="large", turns=(), include_usage=True)


@PATIENT
@given(answers())
def test_an_answer_survives_the_way_through_chat(answer: GenerationAnswer) -> None:
    through = CHAT.read_answer(CHAT.write_answer(answer, ASKED))

    back = RESPONSES.read_answer(RESPONSES.write_answer(through, ASKED))

    assert back == answer


@PATIENT
@given(answers())
def test_a_stream_survives_the_way_through_chat(answer: GenerationAnswer) -> None:
    through = _through(CHAT, events_of(answer))

    back = list(_through(RESPONSES, through))

    assert answer_of(back) == replace(answer, service_tier=None)


def _through(dialect: Any, events: Any) -> Iterator[Any]:
    writer, reader = dialect.stream_writer(ASKED), dialect.stream_reader()
    for event in events:
        yield from reader.feed(writer.write([event]))
    yield from reader.feed(writer.end())
    yield from reader.end()


def test_thoughts_are_shown_to_those_who_ask_for_responses() -> None:
    body = (
        b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":"4","reasoning_content":"2+2"},'
        b'"finish_reason":"stop"}]}'
    )

    answer = RESPONSES.read_answer(RESPONSES.write_answer(CHAT.read_answer(body), ASKED))

    thought, said = answer.choices[0].parts
    assert isinstance(thought, Thinking)
    assert (thought.text, said) == ("2+2", Text(text="4"))


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"tools": (HostedTool(dialect=NAME, type="web_search", definition={}),)}, "tools[0]"),
        ({"extras": {"truncation": "auto"}}, "truncation"),
        ({"extras": {"context_management": []}}, "context_management"),
    ],
)
def test_what_chats_cannot_say_is_refused_by_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedByModelError) as refused:
        CHAT.write_request(replace(ASKED, **members), MODEL)

    assert refused.value.param == param


def test_a_call_without_a_word_is_understood_both_ways() -> None:
    call = ToolCall(id="c", name="f", arguments="{}")
    choice = Choice(parts=(call,), stop=StopReason.TOOL_CALLS)
    answer = GenerationAnswer(id="a", model="large", choices=(choice,), created=1)

    through = CHAT.read_answer(CHAT.write_answer(answer, ASKED))
    back = RESPONSES.read_answer(RESPONSES.write_answer(through, ASKED))

    assert back.choices == (choice,)
