"""Tools that only this API has: in groups, and with a text instead of arguments."""

from typing import Any

import msgspec
import pytest
from openai.types.responses import ResponseCustomToolCall, ResponseFunctionToolCall

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import (
    Delta,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
)
from domain.inference.conversation.parts import Part, Text, ToolCall, ToolResult
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    ToolChoice,
    ToolMode,
)
from domain.shared.errors import InvalidError
from tests.builders import a_model

DIALECT = OpenAIResponsesDialect()
SCHEMA = {"type": "object", "properties": {}}
PATCH = {"type": "custom", "name": "patch", "description": "Applies a patch."}
AGENTS = {
    "type": "namespace",
    "name": "agents",
    "description": "Other agents.",
    "tools": [
        {"type": "function", "name": "close", "parameters": SCHEMA, "defer_loading": True},
        PATCH,
    ],
}


def asked(*tools: dict[str, Any], **members: Any) -> GenerationRequest:
    body = {"model": "large", "input": "Hi", "tools": list(tools)} | members
    return DIALECT.read_request(msgspec.json.encode(body))


def functions(request: GenerationRequest) -> list[FunctionTool]:
    return [tool for tool in request.tools if isinstance(tool, FunctionTool)]


def answered(request: GenerationRequest, *parts: Part) -> list[dict[str, Any]]:
    choice = Choice(parts=parts, stop=StopReason.TOOL_CALLS)
    answer = GenerationAnswer(id="a", model="m", choices=(choice,))
    items: list[dict[str, Any]] = msgspec.json.decode(DIALECT.write_answer(answer, request))[
        "output"
    ]
    return items


def streamed(request: GenerationRequest, name: str, *pieces: str) -> list[dict[str, Any]]:
    writer = DIALECT.stream_writer(request)
    said = writer.write(
        [
            Started(id="a", model="m"),
            PartStarted(index=0, kind=PartKind.TOOL_CALL, call_id="c", name=name),
            *(Delta(index=0, text=piece) for piece in pieces),
            PartEnded(index=0),
            Stopped(reason=StopReason.TOOL_CALLS),
        ]
    )
    lines = (said + writer.end()).split(b"\n")
    return [msgspec.json.decode(line[6:]) for line in lines if line.startswith(b"data: ")]


def test_tools_of_a_group_are_functions_with_the_groups_name() -> None:
    close, patch = functions(asked(AGENTS))

    assert (close.name, close.namespace, close.parameters) == ("agents__close", "agents", SCHEMA)
    assert close.description == "Other agents."
    assert (patch.name, patch.takes_text) == ("agents__patch", True)
    assert patch.description == "Other agents.\n\nApplies a patch."


def test_a_call_in_a_group_is_told_as_the_client_knows_it() -> None:
    (item,) = answered(asked(AGENTS), ToolCall(id="c", name="agents__close", arguments="{}"))

    call = ResponseFunctionToolCall.model_validate(item)
    assert (call.namespace, call.name, call.arguments) == ("agents", "close", "{}")


def test_a_call_in_a_group_comes_back_as_it_was() -> None:
    called = {"type": "function_call", "call_id": "c", "name": "close", "namespace": "agents"}
    output = {"type": "function_call_output", "call_id": "c", "output": "done"}

    request = asked(AGENTS, input=[called | {"arguments": "{}"}, output])

    assert request.turns[0].parts == (ToolCall(id="c", name="agents__close", arguments="{}"),)


def test_a_streamed_call_in_a_group_has_its_names_in_every_event() -> None:
    events = streamed(asked(AGENTS), "agents__close", "{}")

    items = [event["item"] for event in events if "item" in event]
    names = [(item["namespace"], item["name"]) for item in items]
    assert names == [("agents", "close")] * 2
    done = next(e for e in events if e["type"] == "response.function_call_arguments.done")
    assert done["name"] == "close"


def test_a_text_is_the_only_parameter_of_a_tool_that_takes_one() -> None:
    (patch,) = functions(asked(PATCH))

    assert patch.parameters is not None
    assert patch.parameters["required"] == ["input"]
    assert patch.description == "Applies a patch."


def test_a_grammar_is_told_to_models_that_cannot_be_held_to_it() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": 'start: "a"'}

    (patch,) = functions(asked(PATCH | {"format": grammar}))

    assert patch.description == (
        'Applies a patch.\n\nThe input follows this lark grammar:\n\nstart: "a"'
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [('{"input":"*** Begin"}', "*** Begin"), ("*** Begin", "*** Begin"), ("[1]", "[1]")],
)
def test_a_call_with_a_text_is_told_with_it(arguments: str, text: str) -> None:
    (item,) = answered(asked(PATCH), ToolCall(id="c", name="patch", arguments=arguments))

    call = ResponseCustomToolCall.model_validate(item)
    assert (call.name, call.input, call.call_id) == ("patch", text, "c")
    assert "arguments" not in item


def test_a_streamed_text_is_told_when_it_is_whole() -> None:
    events = streamed(asked(PATCH), "patch", '{"inp', 'ut":"*** ', 'Begin"}')

    told = [(e["type"], e.get("delta") or e.get("input")) for e in events if "item_id" in e]
    assert told == [
        ("response.custom_tool_call_input.delta", "*** Begin"),
        ("response.custom_tool_call_input.done", "*** Begin"),
    ]
    assert events[-1]["response"]["output"][0]["input"] == "*** Begin"


def test_a_call_with_a_text_and_its_result_come_back() -> None:
    called = {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": 'a "b"'}
    output = {"type": "custom_tool_call_output", "call_id": "c", "output": "done"}

    first, second = asked(PATCH, input=[called, output]).turns

    assert first.parts == (ToolCall(id="c", name="patch", arguments='{"input":"a \\"b\\""}'),)
    assert second.parts == (ToolResult(call_id="c", parts=(Text(text="done"),), name="patch"),)


def test_a_tool_that_takes_a_text_can_be_chosen() -> None:
    request = asked(PATCH, tool_choice={"type": "custom", "name": "patch"})

    assert request.tool_choice == ToolChoice(mode=ToolMode.NAMED, name="patch")


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        (AGENTS | {"tools": [{"type": "web_search"}]}, "tools[0].tools[0].type"),
        (AGENTS | {"color": 1}, "tools[0].color"),
        (PATCH | {"format": {"type": "grammar"}}, "tools[0].format.syntax"),
    ],
)
def test_what_is_wrong_in_such_a_tool_is_named(tool: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as caught:
        asked(tool)

    assert caught.value.param == param


def test_what_a_client_says_of_itself_changes_nothing() -> None:
    request = asked(client_metadata={"turn_id": "t"})

    assert b"turn_id" not in Anthropic().write_request(request, a_model())
