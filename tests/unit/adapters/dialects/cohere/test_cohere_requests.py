import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.dialects.cohere.dialect import CohereDialect
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from domain.inference.conversation.parts import (
    Audio,
    Image,
    Inline,
    StoredFile,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    HostedTool,
    OutputFormat,
    OutputKind,
    Reasoning,
    Role,
    Sampling,
    ToolChoice,
    ToolMode,
    Turn,
)
from domain.inference.errors import UnsupportedByModelError
from tests.fakes.openai_wire import UPSTREAM_NAME, a_model

WEATHER = FunctionTool(name="weather", description="of a city", strict=True)
CALL = ToolCall(id="call_1", name="weather", arguments='{"city":"Paris"}')
HELLO = (Turn(role=Role.USER, parts=(Text(text="hello"),)),)


def written(*turns: Turn, **fields: Any) -> dict[str, Any]:
    options = fields.pop("of_deployment", {})
    request = GenerationRequest(dialect="openai", model="large", turns=turns or HELLO, **fields)
    dialect = CohereDialect(ErrorMapping("acme", [], openai_failure))
    body: dict[str, Any] = json.loads(dialect.write_request(request, a_model(**options)))
    return body


def test_the_least_that_can_be_asked() -> None:
    assert written() == {
        "model": UPSTREAM_NAME,
        "messages": [{"role": "user", "content": "hello"}],
        "stream": False,
    }


def test_a_conversation_with_pictures_and_tools() -> None:
    body = written(
        Turn(role=Role.DEVELOPER, parts=(Text(text="be brief"),)),
        Turn(
            role=Role.USER,
            parts=(
                Text(text="what is it?"),
                Image(source=Inline(media_type="image/png", data="AA=="), detail="low"),
                Image(source=Url(url="https://x/y.png")),
            ),
        ),
        Turn(role=Role.ASSISTANT, parts=(Thinking(text="hm"), Text(text="I ask."), CALL)),
        Turn(
            role=Role.TOOL,
            parts=(ToolResult(call_id="call_1", parts=(Text(text="sun"),), is_error=True),),
        ),
        Turn(role=Role.ASSISTANT, parts=(Text(text="Sunny."),)),
    )

    assert body["messages"] == [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "what is it?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"},
                },
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
                }
            ],
            "tool_plan": "I ask.",
            "content": [{"type": "thinking", "thinking": "hm"}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Error: sun"},
        {"role": "assistant", "content": "Sunny."},
    ]
    assert body["citation_options"] == {"mode": "OFF"}


def test_everything_that_can_be_wished_has_its_word() -> None:
    body = written(
        max_output_tokens=7,
        sampling=Sampling(
            temperature=0.5,
            top_p=0.9,
            top_k=3,
            seed=1,
            presence_penalty=0.1,
            frequency_penalty=0.2,
            stop=("a",),
        ),
        tools=(WEATHER,),
        tool_choice=ToolChoice(mode=ToolMode.REQUIRED),
        of_deployment={"safety_mode": "STRICT"},
    )

    del body["messages"], body["model"], body["stream"]
    function = {
        "name": "weather",
        "description": "of a city",
        "parameters": {"type": "object", "properties": {}},
    }
    assert body == {
        "max_tokens": 7,
        "temperature": 0.5,
        "p": 0.9,
        "k": 3,
        "seed": 1,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "stop_sequences": ["a"],
        "tools": [{"type": "function", "function": function}],
        "strict_tools": True,
        "tool_choice": "REQUIRED",
        "safety_mode": "STRICT",
    }


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (OutputFormat(kind=OutputKind.TEXT), None),
        (OutputFormat(kind=OutputKind.JSON), {"type": "json_object"}),
        (
            OutputFormat(kind=OutputKind.JSON_SCHEMA, schema={"type": "object"}),
            {"type": "json_object", "json_schema": {"type": "object"}},
        ),
    ],
)
def test_the_format_is_json_or_a_schema(output: OutputFormat, expected: object) -> None:
    assert written(output=output).get("response_format") == expected


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        (Reasoning(is_enabled=False), {"type": "disabled"}),
        (Reasoning(effort="none"), {"type": "disabled"}),
        (Reasoning(effort="high"), {"type": "enabled"}),
        (Reasoning(budget_tokens=1000), {"type": "enabled", "token_budget": 1000}),
    ],
)
def test_thinking_is_switched_on_and_off(reasoning: Reasoning, expected: object) -> None:
    assert written(reasoning=reasoning)["thinking"] == expected


def test_thoughts_that_another_provider_signed_are_left_out() -> None:
    thought = Thinking(text="hm", opaque="sig", opaque_of="anthropic")
    message = written(Turn(role=Role.ASSISTANT, parts=(thought, Text(text="hi"))))["messages"][0]

    assert message == {"role": "assistant", "content": "hi"}


def test_a_certain_tool_is_the_only_one_that_the_model_is_told_of() -> None:
    other = replace(WEATHER, name="other")
    choice = ToolChoice(mode=ToolMode.NAMED, name="weather")

    body = written(tools=(other, WEATHER), tool_choice=choice)

    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather"]
    assert body["tool_choice"] == "REQUIRED"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"choices": 2}, "n"),
        ({"sampling": Sampling(logit_bias={"1": 1.0})}, "logit_bias"),
        ({"sampling": Sampling(logprobs=True)}, "logprobs"),
        ({"verbosity": "low"}, "verbosity"),
        ({"extras": {"web_search_options": {}}}, "web_search_options"),
        ({"tools": (HostedTool(dialect="openai", type="x", definition={}),)}, "tools"),
    ],
)
def test_what_cohere_has_nothing_for_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize(
    "turn",
    [
        Turn(role=Role.USER, parts=(Text(text="x"),), name="ann"),
        Turn(role=Role.USER, parts=(Image(source=StoredFile(id="f")),)),
        Turn(role=Role.USER, parts=(Audio(data="AA==", format="wav"),)),
        Turn(
            role=Role.TOOL,
            parts=(ToolResult(call_id="c", parts=(Image(source=Url(url="https://x")),)),),
        ),
    ],
)
def test_parts_that_cohere_cannot_read_are_refused(turn: Turn) -> None:
    with pytest.raises(UnsupportedByModelError, match="messages"):
        written(turn)
