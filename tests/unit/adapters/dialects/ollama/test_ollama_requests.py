import json
from typing import Any

import pytest

from adapters.dialects.ollama.dialect import OllamaDialect
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from domain.inference.conversation.parts import (
    Audio,
    Image,
    Inline,
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
from domain.shared.errors import InvalidError
from tests.fakes.openai_wire import UPSTREAM_NAME, a_model

PIXEL = Image(source=Inline(media_type="image/png", data="AA=="))
WEATHER = FunctionTool(name="weather", description="of a city", parameters={"type": "object"})
CALL = ToolCall(id="call_1", name="weather", arguments='{"city":"Paris"}')
HELLO = (Turn(role=Role.USER, parts=(Text(text="hello"),)),)


def written(*turns: Turn, keep_alive: str | int | None = None, **fields: Any) -> dict[str, Any]:
    options = fields.pop("of_deployment", {})
    request = GenerationRequest(dialect="openai", model="large", turns=turns or HELLO, **fields)
    dialect = OllamaDialect(ErrorMapping("acme", [], openai_failure), keep_alive)
    body: dict[str, Any] = json.loads(dialect.write_request(request, a_model(**options)))
    return body


def test_the_least_that_can_be_asked() -> None:
    assert written() == {
        "model": UPSTREAM_NAME,
        "messages": [{"role": "user", "content": "hello"}],
        "stream": False,
    }


def test_a_conversation_with_pictures_and_tools() -> None:
    messages = written(
        Turn(role=Role.DEVELOPER, parts=(Text(text="be brief"),)),
        Turn(role=Role.USER, parts=(Text(text="what"), PIXEL, Text(text="is it?"))),
        Turn(role=Role.ASSISTANT, parts=(Thinking(text="hm"), Text(text="I ask."), CALL)),
        Turn(
            role=Role.TOOL,
            parts=(ToolResult(call_id="call_1", parts=(Text(text="sun"),), is_error=True),),
        ),
    )["messages"]

    assert messages == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "what\nis it?", "images": ["AA=="]},
        {
            "role": "assistant",
            "content": "I ask.",
            "thinking": "hm",
            "tool_calls": [
                {
                    "id": "call_1",
                    "function": {"name": "weather", "arguments": {"city": "Paris"}},
                }
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "tool_name": "weather",
            "content": "Error: sun",
        },
    ]


def test_thoughts_that_another_provider_signed_are_left_out() -> None:
    thought = Thinking(text="hm", opaque="sig", opaque_of="anthropic")
    message = written(Turn(role=Role.ASSISTANT, parts=(thought, Text(text="hi"))))["messages"][0]

    assert message == {"role": "assistant", "content": "hi"}


def test_sampling_stands_among_the_options() -> None:
    body = written(
        max_output_tokens=7,
        sampling=Sampling(temperature=0.5, top_k=3, seed=1, stop=("a", "b")),
        of_deployment={"num_ctx": 8192, "temperature": 1, "keep_alive": "1h"},
        keep_alive="5m",
    )

    assert body["options"] == {
        "num_ctx": 8192,
        "num_predict": 7,
        "temperature": 0.5,
        "top_k": 3,
        "seed": 1,
        "stop": ["a", "b"],
    }
    assert body["keep_alive"] == "1h"


def test_models_stay_in_memory_for_as_long_as_the_provider_says() -> None:
    assert written(keep_alive=-1)["keep_alive"] == -1


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (OutputFormat(kind=OutputKind.TEXT), None),
        (OutputFormat(kind=OutputKind.JSON), "json"),
        (
            OutputFormat(kind=OutputKind.JSON_SCHEMA, name="x", schema={"type": "object"}),
            {"type": "object"},
        ),
    ],
)
def test_the_format_is_json_or_a_schema(output: OutputFormat, expected: object) -> None:
    assert written(output=output).get("format") == expected


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        (None, "low"),
        (Reasoning(is_enabled=False), False),
        (Reasoning(effort="none"), False),
        (Reasoning(effort="minimal"), "low"),
        (Reasoning(effort="xhigh"), "high"),
        (Reasoning(budget_tokens=1000), True),
        (Reasoning(is_adaptive=True), True),
    ],
)
def test_thinking_is_a_level_or_a_switch(reasoning: Reasoning | None, expected: object) -> None:
    assert written(reasoning=reasoning, of_deployment={"think": "low"})["think"] == expected


def test_tools_are_offered_unless_none_may_be_called() -> None:
    offered = written(tools=(WEATHER, FunctionTool(name="now")))["tools"]

    assert offered[0]["function"] == {
        "name": "weather",
        "description": "of a city",
        "parameters": {"type": "object"},
    }
    assert offered[1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert "tools" not in written(tools=(WEATHER,), tool_choice=ToolChoice(mode=ToolMode.NONE))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"choices": 2}, "n"),
        ({"sampling": Sampling(logit_bias={"1": 1.0})}, "logit_bias"),
        ({"verbosity": "low"}, "verbosity"),
        ({"extras": {"web_search_options": {}}}, "web_search_options"),
        ({"tools": (HostedTool(dialect="openai", type="x", definition={}),)}, "tools"),
        (
            {"tools": (WEATHER,), "tool_choice": ToolChoice(mode=ToolMode.REQUIRED)},
            "tool_choice",
        ),
        (
            {
                "tools": (WEATHER,),
                "tool_choice": ToolChoice(mode=ToolMode.NAMED, name="weather"),
            },
            "tool_choice",
        ),
    ],
)
def test_what_ollama_has_nothing_for_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize(
    "turn",
    [
        Turn(role=Role.USER, parts=(Text(text="x"),), name="ann"),
        Turn(role=Role.USER, parts=(Image(source=Url(url="https://x/y.png")),)),
        Turn(role=Role.USER, parts=(Audio(data="AA==", format="wav"),)),
    ],
)
def test_parts_that_ollama_cannot_read_are_refused(turn: Turn) -> None:
    with pytest.raises(UnsupportedByModelError, match="messages"):
        written(turn)


def test_arguments_that_are_no_json_are_refused() -> None:
    call = ToolCall(id="call_1", name="weather", arguments="{")

    with pytest.raises(InvalidError, match="no JSON object"):
        written(Turn(role=Role.ASSISTANT, parts=(call,)))


def test_log_probabilities_are_asked_for_beside_the_options() -> None:
    body = written(sampling=Sampling(logprobs=True, top_logprobs=2))

    assert (body["logprobs"], body["top_logprobs"]) == (True, 2)
    assert "options" not in body
