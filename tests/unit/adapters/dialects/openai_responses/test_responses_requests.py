from typing import Any

import msgspec
import pytest

from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from domain.inference.conversation.parts import (
    File,
    Foreign,
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
    OutputKind,
    Reasoning,
    Role,
    Sampling,
    Turn,
)
from domain.inference.errors import UnsupportedByModelError
from domain.models.served_model import Capability
from domain.shared.errors import InvalidError
from tests.builders import a_model

DIALECT = OpenAIResponsesDialect()


def read(**members: Any) -> GenerationRequest:
    return DIALECT.read_request(msgspec.json.encode({"model": "large", "input": "Hi"} | members))


def written(request: GenerationRequest, **model: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(DIALECT.write_request(request, a_model(**model)))
    return body


def a_request(*turns: Turn, **fields: Any) -> GenerationRequest:
    return GenerationRequest(**({"dialect": "openai", "model": "large", "turns": turns} | fields))


def test_instructions_come_before_the_input() -> None:
    request = read(instructions="Be brief.")

    assert request.turns == (
        Turn(role=Role.SYSTEM, parts=(Text(text="Be brief."),)),
        Turn(role=Role.USER, parts=(Text(text="Hi"),)),
    )


def test_an_agents_loop_is_read_into_turns() -> None:
    request = read(
        input=[
            {"role": "user", "content": "Weather in Bonn and Ulm?"},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Two cities."}],
                "encrypted_content": "gAAAA",
            },
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
            },
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"a":1}'},
            {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "rain"},
            {
                "type": "function_call_output",
                "call_id": "c2",
                "status": "incomplete",
                "output": [{"type": "input_text", "text": "no such city"}],
            },
        ]
    )

    thought = Thinking(text="Two cities.", id="rs_1", opaque="gAAAA", opaque_of="openai-responses")
    assert request.turns[1].parts == (
        thought,
        Text(text="I look."),
        ToolCall(id="c1", name="weather", arguments='{"a":1}'),
        ToolCall(id="c2", name="weather", arguments="{}"),
    )
    assert request.turns[2].parts == (
        ToolResult(call_id="c1", name="weather", parts=(Text(text="rain"),)),
        ToolResult(call_id="c2", name="weather", parts=(Text(text="no such city"),), is_error=True),
    )


def test_images_and_files_are_read_from_urls_and_from_data() -> None:
    request = read(
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                    {"type": "input_image", "image_url": "https://a.example/b", "detail": "low"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "QUFB"},
                ],
            }
        ]
    )

    assert request.turns[0].parts == (
        Image(source=Inline(media_type="image/png", data="AAAA")),
        Image(source=Url(url="https://a.example/b"), detail="low"),
        File(source=Inline(media_type="application/pdf", data="QUFB"), name="a.pdf"),
    )


def test_formats_and_thinking_are_read() -> None:
    request = read(
        text={
            "format": {"type": "json_schema", "name": "city", "schema": {"type": "object"}},
            "verbosity": "low",
        },
        reasoning={"effort": "high", "summary": "auto"},
        include=["message.output_text.logprobs"],
        top_logprobs=2,
    )

    assert request.output is not None
    assert request.output.kind is OutputKind.JSON_SCHEMA
    assert request.verbosity == "low"
    assert request.reasoning == Reasoning(effort="high", summary="auto")
    assert request.sampling == Sampling(logprobs=True, top_logprobs=2)


def test_what_other_dialects_do_not_have_is_kept_for_this_one() -> None:
    request = read(
        truncation="auto",
        prompt_cache_key="k",
        tools=[{"type": "web_search"}],
        tool_choice={"type": "web_search_preview"},
        include=["web_search_call.action.sources", "reasoning.encrypted_content"],
    )

    assert request.extras == {
        "truncation": "auto",
        "prompt_cache_key": "k",
        "tool_choice": {"type": "web_search_preview"},
        "include": ["web_search_call.action.sources"],
    }


def test_items_of_the_providers_own_tools_are_kept_as_they_are() -> None:
    request = read(input=[{"type": "web_search_call", "id": "ws_1", "status": "completed"}])

    (part,) = request.turns[0].parts
    assert isinstance(part, Foreign)
    assert msgspec.json.decode(part.json)["id"] == "ws_1"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": None}, "input"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "x"}]}]}, "input[0].content[0].type"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].id"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"text": {"format": {"type": "yaml"}}}, "format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "format.schema"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ],
)
def test_a_wrong_request_is_refused_by_the_member_that_is_wrong(
    members: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        read(**members)

    assert refused.value.param is not None
    assert refused.value.param.endswith(param)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"text": {"tone": "warm"}}, "text.tone"),
        (
            {"input": [{"role": "user", "content": "x", "weight": 2}]},
            "input[0].weight",
        ),
    ],
)
def test_a_member_that_is_not_understood_is_refused_by_name(
    members: dict[str, Any], param: str
) -> None:
    with pytest.raises(UnsupportedByModelError) as refused:
        read(**members)

    assert refused.value.param == param


def test_a_provider_is_told_to_keep_nothing() -> None:
    body = written(a_request(Turn(role=Role.USER, parts=(Text(text="Hi"),))))

    assert body["store"] is False
    assert "instructions" not in body
    assert body["input"] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    ]


def test_a_tool_of_another_dialect_is_not_made_strict() -> None:
    body = written(a_request(tools=(FunctionTool(name="f"),)))

    assert body["tools"][0]["strict"] is False


def test_thoughts_of_other_providers_models_are_left_out() -> None:
    thought = Thinking(text="Hm.", opaque="sig", opaque_of="anthropic")

    body = written(a_request(Turn(role=Role.ASSISTANT, parts=(thought, Text(text="Hi")))))

    assert [item["type"] for item in body["input"]] == ["message"]


@pytest.mark.parametrize(
    ("reasoning", "said"),
    [
        (Reasoning(budget_tokens=1024), {"effort": "minimal"}),
        (Reasoning(budget_tokens=4000), {"effort": "low"}),
        (Reasoning(budget_tokens=10_000), {"effort": "medium"}),
        (Reasoning(budget_tokens=32_000), {"effort": "high"}),
        (Reasoning(is_enabled=False), {"effort": "none"}),
        (Reasoning(is_adaptive=True), None),
    ],
)
def test_the_amount_of_thinking_is_said_in_words(
    reasoning: Reasoning, said: dict[str, str] | None
) -> None:
    thinking = written(
        a_request(reasoning=reasoning), capabilities=frozenset({Capability.REASONING})
    )
    unknown = written(a_request(reasoning=reasoning), capabilities=None)

    assert thinking.get("reasoning") == said
    assert "reasoning" not in unknown


def test_an_effort_is_said_to_any_model() -> None:
    body = written(a_request(reasoning=Reasoning(effort="low")), capabilities=None)

    assert body["reasoning"] == {"effort": "low"}


def test_encrypted_thoughts_are_asked_for_of_models_that_think() -> None:
    thinking = written(a_request(), capabilities=frozenset({Capability.REASONING}))
    unknown = written(a_request(), capabilities=None)

    assert thinking["include"] == ["reasoning.encrypted_content"]
    assert "include" not in unknown


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"choices": 2}, "n"),
        ({"sampling": Sampling(stop=("END",))}, "stop"),
        ({"sampling": Sampling(seed=1)}, "seed"),
        ({"sampling": Sampling(top_k=3)}, "top_k"),
        ({"sampling": Sampling(logit_bias={"1": 2})}, "logit_bias"),
        ({"extras": {"web_search_options": {}}}, "web_search_options"),
        (
            {"turns": (Turn(role=Role.USER, parts=(), name="ann"),)},
            "name",
        ),
        (
            {"turns": (Turn(role=Role.ASSISTANT, parts=(Foreign(dialect="google", json="{}"),)),)},
            "messages",
        ),
    ],
)
def test_what_has_no_word_here_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedByModelError) as refused:
        written(a_request(**fields))

    assert refused.value.param == param
