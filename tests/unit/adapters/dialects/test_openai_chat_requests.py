from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.openai_chat.dialect import MAX_COMPLETION_TOKENS, OpenAIChat
from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
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
from domain.models.served_model import Capability, ServedModel
from domain.shared.errors import InvalidError
from tests.fakes import any_conversation as some
from tests.fakes.openai_wire import PUBLIC_NAME, UPSTREAM_NAME, a_model

DIALECT = OpenAIChat()
HELLO = Turn(role=Role.USER, parts=(Text(text="hello"),))


def read(**members: Any) -> GenerationRequest:
    body = {"model": PUBLIC_NAME, "messages": [{"role": "user", "content": "hello"}]}
    return DIALECT.read_request(msgspec.json.encode(body | members))


def written(
    request: GenerationRequest, model: ServedModel | None = None, dialect: OpenAIChat = DIALECT
) -> dict[str, Any]:
    body = dialect.write_request(request, model or a_model())
    return msgspec.json.decode(body, type=dict[str, Any])


def asking(*turns: Turn, dialect: str = "anthropic", **members: Any) -> GenerationRequest:
    return GenerationRequest(dialect=dialect, model=PUBLIC_NAME, turns=turns or (HELLO,), **members)


def messages_of(*turns: Turn, **options: object) -> Any:
    return written(asking(*turns), a_model(**options))["messages"]


requests = st.builds(
    GenerationRequest,
    dialect=st.just("openai"),
    model=st.just(UPSTREAM_NAME),
    turns=some.conversations(
        asked=some.texts
        | some.images
        | some.documents
        | st.builds(Audio, data=st.just("AAAA"), format=st.sampled_from(["wav", "mp3"])),
        thoughts=some.unsigned,
        said=some.texts,
        given=some.results(),
    ),
    stream=st.just(True),
    include_usage=st.booleans(),
    max_output_tokens=st.none() | st.integers(1, 9999),
    sampling=st.builds(
        Sampling,
        temperature=st.none() | some.UNIT,
        top_p=st.none() | some.UNIT,
        top_k=st.none() | st.integers(1, 50),
        seed=st.none() | st.integers(0, 9),
        presence_penalty=st.none() | some.UNIT,
        frequency_penalty=st.none() | some.UNIT,
        logit_bias=st.none() | st.just({"50": -1.5}),
        stop=some.lists(some.WORDS),
        logprobs=st.booleans(),
        top_logprobs=st.none() | st.integers(0, 5),
    ),
    choices=st.integers(1, 3),
    tools=some.tools(st.none() | st.booleans()),
    tool_choice=some.tool_choices,
    parallel_tools=st.none() | st.booleans(),
    output=st.none() | some.json_schemas | st.just(OutputFormat(kind=OutputKind.JSON)),
    reasoning=st.none() | st.builds(Reasoning, effort=st.sampled_from(["low", "xhigh"])),
    verbosity=st.none() | st.just("low"),
    user=st.none() | some.NAMES,
    metadata=st.just({}) | st.just({"a": "b"}),
    service_tier=st.none() | st.just("flex"),
    extras=st.just({}) | st.just({"prediction": {"type": "content", "content": "x"}}),
)


@given(requests)
def test_what_is_written_is_read_back_equal(request: GenerationRequest) -> None:
    body = DIALECT.write_request(request, a_model(cache_control=True))

    assert DIALECT.read_request(body) == request


def test_reads_every_kind_of_part() -> None:
    content = [
        {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "AAAA"}},
    ]

    request = read(messages=[{"role": "user", "content": content}])

    assert request.turns[0].parts == (
        Text(text="look", cache="5m"),
        Image(source=Url(url="https://a/b.png"), detail="low"),
        Image(source=Inline(media_type="image/png", data="AAAA")),
        Audio(data="AAAA", format="wav"),
        File(source=StoredFile(id="file-1")),
        File(source=Inline(media_type="application/pdf", data="AAAA"), name="a.pdf"),
    )


def test_results_of_tools_that_follow_each_other_are_one_turn() -> None:
    calls = [
        {"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for name in ("a", "b")
    ]
    results = [{"role": "tool", "tool_call_id": name, "content": name} for name in ("a", "b")]

    request = read(messages=[{"role": "assistant", "tool_calls": calls}, *results])

    assert [turn.role for turn in request.turns] == [Role.ASSISTANT, Role.TOOL]
    assert [part.call_id for part in request.turns[1].parts if isinstance(part, ToolResult)] == [
        "a",
        "b",
    ]


def test_functions_are_tools_and_their_results_are_matched() -> None:
    request = read(
        messages=[
            {"role": "user", "content": "weather?"},
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "weather", "arguments": "{}"},
            },
            {"role": "function", "name": "weather", "content": "sun"},
        ],
        functions=[{"name": "weather", "parameters": {"type": "object"}}],
        function_call={"name": "weather"},
    )

    call, result = request.turns[1].parts[0], request.turns[2].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert call.id == result.call_id
    assert request.tools == (FunctionTool(name="weather", parameters={"type": "object"}),)
    assert request.tool_choice == ToolChoice(mode=ToolMode.NAMED, name="weather")


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_are_read_under_either_name(name: str) -> None:
    request = read(messages=[{"role": "assistant", "content": "4", name: "2 and 2"}])

    assert request.turns[0].parts == (Thinking(text="2 and 2"), Text(text="4"))


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": []}, "messages"),
        ({"temperature": "hot"}, "temperature"),
        ({"n": 1.5}, "n"),
        ({"stop": [1]}, "stop"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, None),
        ({"messages": [{"role": "user", "content": "x", "mood": "good"}]}, "messages[0].mood"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(members: dict[str, Any], param: str | None) -> None:
    with pytest.raises(InvalidError) as caught:
        read(**members)

    assert caught.value.param == (param or "messages[0].content[0].type")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 100_000], ids=repr)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidError):
        DIALECT.read_request(body)


def test_members_of_another_dialect_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(asking(extras={"mcp_servers": [{}]}))

    assert caught.value.param == "mcp_servers"


def test_members_that_change_no_answer_are_left_out() -> None:
    request = asking(extras={"store": True, "speed": "fast"}, user="u", metadata={"a": "b"})

    assert set(written(request)) == {"model", "messages"}


def test_a_hosted_tool_of_another_dialect_is_refused() -> None:
    tool = HostedTool(dialect="anthropic", type="web_search_20250305", definition={})

    with pytest.raises(UnsupportedByModelError) as caught:
        written(asking(tools=(tool,)))

    assert caught.value.param == "tools[0]"


@pytest.mark.parametrize(
    "part",
    [
        Foreign(dialect="anthropic", json="{}"),
        Image(source=StoredFile(id="file_1")),
    ],
    ids=["foreign", "stored image"],
)
def test_a_part_that_cannot_be_said_is_refused(part: Any) -> None:
    role = Role.ASSISTANT if isinstance(part, Foreign) else Role.USER

    with pytest.raises(UnsupportedByModelError) as caught:
        messages_of(HELLO, Turn(role=role, parts=(part,)))

    assert caught.value.param == "messages[1].content"


def test_thoughts_that_another_provider_signed_stay_with_it() -> None:
    thought = Thinking(text="hm", opaque="sig", opaque_of="anthropic")

    messages = messages_of(Turn(role=Role.ASSISTANT, parts=(thought, Text(text="yes"))))

    assert messages == [{"role": "assistant", "content": "yes"}]


def test_an_image_that_a_tool_gave_back_follows_its_result() -> None:
    image = Image(source=Inline(media_type="image/png", data="AAAA"))
    turn = Turn(role=Role.TOOL, parts=(ToolResult(call_id="c1", parts=(Text(text="seen"), image)),))

    messages = messages_of(turn)

    assert messages[0] == {"role": "tool", "tool_call_id": "c1", "content": "seen"}
    assert messages[1]["role"] == "user"
    assert messages[1]["content"][1]["image_url"]["url"] == "data:image/png;base64,AAAA"


def test_a_failed_tool_says_so() -> None:
    result = ToolResult(call_id="c1", parts=(Text(text="no such file"),), is_error=True)

    messages = messages_of(Turn(role=Role.TOOL, parts=(result,)))

    assert messages[0]["content"] == "Error: no such file"


def test_hints_for_a_cache_are_only_written_for_servers_that_take_them() -> None:
    turn = Turn(role=Role.USER, parts=(Text(text="x", cache="1h"),))

    assert messages_of(turn) == [{"role": "user", "content": "x"}]
    assert messages_of(turn, cache_control=True)[0]["content"] == [
        {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    ]


def test_the_limit_of_an_answer_has_the_name_that_the_server_knows() -> None:
    request = asking(max_output_tokens=7)

    assert written(request)["max_tokens"] == 7
    assert written(request, dialect=OpenAIChat(MAX_COMPLETION_TOKENS)) == {
        "model": UPSTREAM_NAME,
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 7,
    }


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning(effort="max"), "max"),
        (Reasoning(budget_tokens=1024), "low"),
        (Reasoning(budget_tokens=8000), "medium"),
        (Reasoning(budget_tokens=31_999), "high"),
        (Reasoning(is_adaptive=True), None),
        (Reasoning(is_enabled=False), "none"),
    ],
    ids=str,
)
def test_an_amount_of_thinking_is_an_effort(reasoning: Reasoning, effort: str | None) -> None:
    model = ServedModel(
        name=PUBLIC_NAME,
        kind=a_model().kind,
        provider="acme",
        upstream_name=UPSTREAM_NAME,
        capabilities=frozenset({Capability.REASONING}),
    )

    assert written(asking(reasoning=reasoning), model).get("reasoning_effort") == effort


@pytest.mark.parametrize(
    "reasoning", [Reasoning(budget_tokens=8000), Reasoning(effort="high")], ids=["budget", "effort"]
)
def test_a_model_that_is_not_known_to_think_is_not_told_how_long(reasoning: Reasoning) -> None:
    assert "reasoning_effort" not in written(asking(reasoning=reasoning))


def test_who_asks_for_an_effort_of_thinking_has_it_passed_on() -> None:
    request = asking(dialect="openai", reasoning=Reasoning(effort="high"))

    assert written(request)["reasoning_effort"] == "high"


def test_older_words_for_tools_are_told_to_other_providers_too() -> None:
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    request = read(functions=[function], function_call={"name": "f"})

    body = msgspec.json.decode(Anthropic().write_request(request, a_model()))

    assert body["tools"] == [{"name": "f", "input_schema": function["parameters"]}]
    assert body["tool_choice"] == {"type": "tool", "name": "f"}


def test_the_choice_among_some_tools_is_told_as_these_tools() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in "ab"]
    allowed = {"mode": "required", "tools": tools[:1]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}

    request = read(tools=tools, tool_choice=choice)

    assert request.tools == (FunctionTool(name="a"),)
    assert request.tool_choice == ToolChoice(mode=ToolMode.REQUIRED)
    assert request.extras == {}


def test_what_litellm_adds_to_an_answer_may_come_back() -> None:
    said = {"role": "assistant", "content": "a", "provider_specific_fields": {"refusal": None}}

    request = read(messages=[said])

    assert request.turns == (Turn(role=Role.ASSISTANT, parts=(Text(text="a"),)),)
