from typing import Any

import msgspec
import pytest

from adapters.dialects.bedrock.dialect import BedrockDialect
from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
    Image,
    Inline,
    Part,
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
from domain.models.served_model import ServedModel
from domain.shared.errors import InvalidError
from tests.fakes.conversations import a_chat_model, asking, said
from tests.fakes.wire_failures import WireFailures

CLAUDE = a_chat_model("eu.anthropic.claude-sonnet-4-5-20250929-v1:0")
NOVA = a_chat_model("amazon.nova-pro-v1:0")
LLAMA = a_chat_model("meta.llama3-3-70b-instruct-v1:0")
GPT = a_chat_model("openai.gpt-oss-120b-1:0")
WEATHER = FunctionTool(name="weather", description="In a city.", parameters={"type": "object"})


def written(request: GenerationRequest, model: ServedModel = CLAUDE) -> Any:
    return msgspec.json.decode(BedrockDialect(WireFailures()).write_request(request, model))


def blocks_of(*parts: Part, model: ServedModel = CLAUDE) -> Any:
    return written(asking(said(Role.USER, *parts)), model)["messages"][0]["content"]


def test_user_and_assistant_take_turns_and_instructions_stand_apart() -> None:
    body = written(
        asking(
            said(Role.SYSTEM, "Be brief."),
            said(Role.USER, "hello"),
            said(Role.USER, "you"),
            said(Role.ASSISTANT, "hi"),
            said(Role.DEVELOPER, "Be kind."),
            said(Role.USER, "bye", "", "\n\n"),
        )
    )

    assert body == {
        "system": [{"text": "Be brief."}, {"text": "Be kind."}],
        "messages": [
            {"role": "user", "content": [{"text": "hello"}, {"text": "you"}]},
            {"role": "assistant", "content": [{"text": "hi"}]},
            {"role": "user", "content": [{"text": "bye"}]},
        ],
    }


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Image(source=Inline(media_type="image/png", data="aGk=")),
            {"image": {"format": "png", "source": {"bytes": "aGk="}}},
        ),
        (
            Image(source=Url(url="data:image/jpeg;base64,aGk%3D")),
            {"image": {"format": "jpeg", "source": {"bytes": "aGk="}}},
        ),
        (
            Image(source=Url(url="s3://bucket/cat.webp")),
            {
                "image": {
                    "format": "webp",
                    "source": {"s3Location": {"uri": "s3://bucket/cat.webp"}},
                }
            },
        ),
        (
            Audio(data="aGk=", format="mp3"),
            {"audio": {"format": "mp3", "source": {"bytes": "aGk="}}},
        ),
        (
            File(
                source=Inline(media_type="application/pdf", data="aGk="), name="my_report  (1).pdf"
            ),
            {
                "document": {
                    "format": "pdf",
                    "name": "my report (1)",
                    "source": {"bytes": "aGk="},
                }
            },
        ),
        (
            File(source=Inline(media_type="application/octet-stream", data="aGk="), name="a.csv"),
            {"document": {"format": "csv", "name": "a", "source": {"bytes": "aGk="}}},
        ),
        (
            File(source=Inline(media_type="text/plain", data="aGk=")),
            {"document": {"format": "txt", "name": "document-1", "source": {"bytes": "aGk="}}},
        ),
        (Foreign(dialect="bedrock", json='{"video":{}}'), {"video": {}}),
    ],
    ids=["image", "data-url", "s3", "audio", "pdf", "by-name", "nameless", "its-own"],
)
def test_media_are_blocks(part: Part, expected: object) -> None:
    assert blocks_of(part) == [expected]


@pytest.mark.parametrize(
    "part",
    [
        Image(source=Url(url="https://example.com/cat.png")),
        Image(source=Url(url="data:image/png,hello")),
        Image(source=Inline(media_type="image/tiff", data="aGk=")),
        Image(source=StoredFile(id="file-1")),
        File(source=StoredFile(id="file-1"), name="a.pdf"),
        File(source=Inline(media_type="video/mp4", data="aGk=")),
        Foreign(dialect="google", json="{}"),
    ],
    ids=["address", "data-url-in-text", "tiff", "stored", "stored-file", "video", "foreign"],
)
def test_media_that_it_cannot_read_are_refused(part: Part) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        blocks_of(part)

    assert caught.value.param == "messages[0].content"


def test_calls_and_results_are_blocks_of_both_sides() -> None:
    picture = Image(source=Inline(media_type="image/png", data="aGk="))
    body = written(
        asking(
            said(Role.USER, "where is it warm?"),
            said(
                Role.ASSISTANT,
                "I look.",
                ToolCall(id="c1", name="weather", arguments='{"city": "Bern"}'),
                ToolCall(id="c2", name="weather", arguments=""),
            ),
            said(
                Role.TOOL,
                ToolResult(call_id="c1", parts=(Text(text="10"), picture)),
                ToolResult(call_id="c2", parts=(), is_error=True),
            ),
            said(Role.USER, "well?"),
            tools=(WEATHER,),
        )
    )

    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"text": "I look."},
                {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Bern"}}},
                {"toolUse": {"toolUseId": "c2", "name": "weather", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "c1",
                        "content": [
                            {"text": "10"},
                            {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                        ],
                    }
                },
                {"toolResult": {"toolUseId": "c2", "content": [], "status": "error"}},
                {"text": "well?"},
            ],
        },
    ]


@pytest.mark.parametrize("arguments", ["[1]", "{"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(InvalidError):
        blocks_of(ToolCall(id="c1", name="x", arguments=arguments))


def test_the_thoughts_of_claude_go_back_to_claude_alone() -> None:
    thoughts = (
        Thinking(text="hm", opaque="sig", opaque_of="anthropic"),
        Thinking(opaque="c2VjcmV0", opaque_of="anthropic", is_redacted=True),
        Thinking(text="unsigned"),
        Thinking(text="elsewhere", opaque="sig", opaque_of="google"),
        Text(text="yes"),
    )

    assert blocks_of(*thoughts) == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
        {"text": "yes"},
    ]
    assert blocks_of(*thoughts, model=LLAMA) == [{"text": "yes"}]


def test_hints_for_caches_are_points_where_the_model_knows_them() -> None:
    request = asking(
        said(Role.SYSTEM, Text(text="long", cache="1h")),
        said(Role.USER, Text(text="longer", cache="5m")),
        tools=(FunctionTool(name="now", cache="5m"),),
    )

    claude, llama = written(request), written(request, LLAMA)

    assert claude["system"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert claude["messages"][0]["content"][1] == {"cachePoint": {"type": "default"}}
    assert claude["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    assert "cachePoint" not in str(llama)


def test_what_steers_the_answer_is_in_its_places() -> None:
    body = written(
        asking(
            sampling=Sampling(temperature=0.5, top_p=0.9, top_k=40, stop=("END",)),
            max_output_tokens=100,
            service_tier="priority",
            user="u-1",
            metadata={"a": "b"},
        )
    )

    assert body["inferenceConfig"] == {
        "maxTokens": 100,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
    }
    assert body["additionalModelRequestFields"] == {"top_k": 40}
    assert body["additionalModelResponseFieldPaths"] == ["/stop_sequence"]
    assert body["serviceTier"] == {"type": "priority"}


def test_nova_has_another_place_for_top_k() -> None:
    body = written(asking(sampling=Sampling(top_k=40)), NOVA)

    assert body["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 40}}


@pytest.mark.parametrize(
    ("reasoning", "limit", "model", "expected"),
    [
        (
            Reasoning(budget_tokens=2000),
            None,
            CLAUDE,
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        ),
        (
            Reasoning(effort="high"),
            None,
            CLAUDE,
            {"thinking": {"type": "enabled", "budget_tokens": 16_384}},
        ),
        (
            Reasoning(effort="high"),
            6000,
            CLAUDE,
            {"thinking": {"type": "enabled", "budget_tokens": 5999}},
        ),
        (
            Reasoning(effort="high"),
            None,
            a_chat_model("us.anthropic.claude-opus-4-6-v1"),
            {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}},
        ),
        (
            Reasoning(budget_tokens=9000),
            None,
            NOVA,
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
        ),
        (Reasoning(budget_tokens=20_000), None, GPT, {"reasoning_effort": "high"}),
        (Reasoning(is_adaptive=True), None, LLAMA, None),
        (Reasoning(effort="none"), None, CLAUDE, {"thinking": {"type": "disabled"}}),
        (
            Reasoning(effort="low"),
            None,
            NOVA,
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
        ),
        (Reasoning(is_enabled=False), None, NOVA, {"reasoningConfig": {"type": "disabled"}}),
        (Reasoning(effort="medium"), None, GPT, {"reasoning_effort": "medium"}),
        (Reasoning(effort="none"), None, LLAMA, None),
        (
            Reasoning(effort="low"),
            None,
            a_chat_model(
                "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x", family="nova"
            ),
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
        ),
    ],
)
def test_thinking_is_asked_for_in_the_words_of_the_models_maker(
    reasoning: Reasoning, limit: int | None, model: ServedModel, expected: object
) -> None:
    body = written(asking(reasoning=reasoning, max_output_tokens=limit), model)

    assert body.get("additionalModelRequestFields") == expected


def test_output_follows_a_schema() -> None:
    output = OutputFormat(
        kind=OutputKind.JSON_SCHEMA, name="place", schema={"type": "object"}, description="A place."
    )

    assert written(asking(output=output))["outputConfig"] == {
        "textFormat": {
            "type": "json_schema",
            "structure": {
                "jsonSchema": {
                    "schema": '{"type":"object"}',
                    "name": "place",
                    "description": "A place.",
                }
            },
        }
    }
    assert "outputConfig" not in written(asking(output=OutputFormat(kind=OutputKind.TEXT)))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice(mode=ToolMode.AUTO), {"auto": {}}),
        (ToolChoice(mode=ToolMode.REQUIRED), {"any": {}}),
        (ToolChoice(mode=ToolMode.NAMED, name="weather"), {"tool": {"name": "weather"}}),
    ],
)
def test_tools_have_their_schema_and_their_choice(
    choice: ToolChoice | None, expected: object
) -> None:
    tools = (WEATHER, FunctionTool(name="now", strict=True))

    config = written(asking(tools=tools, tool_choice=choice))["toolConfig"]

    assert config["tools"] == [
        {
            "toolSpec": {
                "name": "weather",
                "description": "In a city.",
                "inputSchema": {"json": {"type": "object"}},
            }
        },
        {
            "toolSpec": {
                "name": "now",
                "inputSchema": {"json": {"type": "object", "properties": {}}},
                "strict": True,
            }
        },
    ]
    assert config.get("toolChoice") == expected


def test_tools_that_must_not_be_called_are_not_told() -> None:
    body = written(asking(tools=(WEATHER,), tool_choice=ToolChoice(mode=ToolMode.NONE)))

    assert "toolConfig" not in body


CALLED = said(Role.ASSISTANT, ToolCall(id="c1", name="weather", arguments="{}"))


@pytest.mark.parametrize(
    ("request_", "model", "param"),
    [
        (asking(choices=2), CLAUDE, "n"),
        (asking(sampling=Sampling(seed=1)), CLAUDE, "seed"),
        (asking(sampling=Sampling(presence_penalty=1.0)), CLAUDE, "presence_penalty"),
        (asking(sampling=Sampling(frequency_penalty=1.0)), CLAUDE, "frequency_penalty"),
        (asking(sampling=Sampling(logit_bias={"1": 1.0})), CLAUDE, "logit_bias"),
        (asking(sampling=Sampling(logprobs=True)), CLAUDE, "logprobs"),
        (asking(verbosity="low"), CLAUDE, "verbosity"),
        (asking(output=OutputFormat(kind=OutputKind.JSON)), CLAUDE, "response_format"),
        (
            asking(tools=(HostedTool(dialect="openai", type="web", definition={}),)),
            CLAUDE,
            "tools",
        ),
        (
            asking(CALLED, tools=(WEATHER,), tool_choice=ToolChoice(mode=ToolMode.NONE)),
            CLAUDE,
            "tool_choice",
        ),
        (asking(reasoning=Reasoning(effort="huge")), NOVA, "reasoning_effort"),
        (asking(reasoning=Reasoning(effort="low")), LLAMA, "reasoning_effort"),
        (asking(reasoning=Reasoning(effort="none")), GPT, "reasoning_effort"),
        (asking(extras={"web_search_options": {}}), CLAUDE, "web_search_options"),
        (asking(Turn(role=Role.USER, parts=(), name="anna")), CLAUDE, "messages[0].name"),
        (
            asking(said(Role.SYSTEM, Image(source=Url(url="s3://a/b.png")))),
            CLAUDE,
            "messages[0].content",
        ),
    ],
)
def test_what_it_has_no_words_for_is_refused_by_name(
    request_: GenerationRequest, model: ServedModel, param: str
) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(request_, model)

    assert caught.value.param == param


def test_a_tier_that_it_does_not_know_is_left_out() -> None:
    assert "serviceTier" not in written(asking(service_tier="scale"))


def test_an_operator_names_a_guardrail() -> None:
    guardrail = {"guardrailIdentifier": "g-1", "guardrailVersion": "1"}

    body = written(asking(), a_chat_model("amazon.nova-pro-v1:0", guardrail=guardrail))

    assert body["guardrailConfig"] == guardrail


@pytest.mark.parametrize("strange", ["call 1", "c" * 65, "日本"])
def test_ids_that_bedrock_refuses_become_others_and_stay_pairs(strange: str) -> None:
    plain = "functions.read:0"
    calls = [ToolCall(id=name, name="f", arguments="{}") for name in (plain, strange)]
    results = [ToolResult(call_id=name, parts=()) for name in (plain, strange)]

    body = written(asking(said(Role.ASSISTANT, *calls), said(Role.TOOL, *results)))

    called = [block["toolUse"]["toolUseId"] for block in body["messages"][0]["content"]]
    given = [block["toolResult"]["toolUseId"] for block in body["messages"][1]["content"]]
    assert called == given
    assert called[0] == plain
    assert len(called[1]) == 32


def test_tools_that_were_called_are_told_of_where_there_are_none_any_more() -> None:
    calls = [
        ToolCall(id=f"c{index}", name=name, arguments="{}") for index, name in enumerate("aab")
    ]

    body = written(asking(said(Role.ASSISTANT, *calls), said(Role.USER, "Sum it up.")))

    specs = [tool["toolSpec"] for tool in body["toolConfig"]["tools"]]
    assert [spec["name"] for spec in specs] == ["a", "b"]
    assert all("must not be called" in spec["description"] for spec in specs)
