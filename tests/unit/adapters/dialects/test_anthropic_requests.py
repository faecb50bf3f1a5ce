from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.openai_chat.dialect import OpenAIChat
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
from domain.models.served_model import ServedModel
from domain.shared.errors import InvalidError
from tests.fakes import any_conversation as some
from tests.fakes.openai_wire import PUBLIC_NAME, UPSTREAM_NAME, a_model

DIALECT = Anthropic()
HELLO = Turn(role=Role.USER, parts=(Text(text="hello"),))


def read(**members: Any) -> GenerationRequest:
    body = {
        "model": PUBLIC_NAME,
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "hello"}],
    }
    return DIALECT.read_request(msgspec.json.encode(body | members))


def written(request: GenerationRequest, model: ServedModel | None = None) -> dict[str, Any]:
    body = DIALECT.write_request(request, model or a_model())
    return msgspec.json.decode(body, type=dict[str, Any])


def asking(*turns: Turn, dialect: str = "openai", **members: Any) -> GenerationRequest:
    return GenerationRequest(dialect=dialect, model=PUBLIC_NAME, turns=turns or (HELLO,), **members)


requests = st.builds(
    GenerationRequest,
    dialect=st.just("anthropic"),
    model=st.just(UPSTREAM_NAME),
    turns=some.conversations(
        asked=some.texts | some.images | some.documents,
        thoughts=some.signed("anthropic") | some.redacted("anthropic"),
        said=some.texts,
        given=some.results(images_too=True, errors=True),
    ),
    stream=st.booleans(),
    include_usage=st.just(True),
    max_output_tokens=st.integers(1, 9999),
    sampling=st.builds(
        Sampling,
        temperature=st.none() | some.UNIT,
        top_p=st.none() | some.UNIT,
        top_k=st.none() | st.integers(1, 50),
        stop=some.lists(some.WORDS),
    ),
    tools=some.tools(st.none() | st.booleans()),
    tool_choice=some.tool_choices,
    output=st.none()
    | st.builds(
        OutputFormat,
        kind=st.just(OutputKind.JSON_SCHEMA),
        schema=some.SCHEMAS,
        strict=st.just(True),
    ),
    reasoning=st.none()
    | st.builds(
        Reasoning,
        effort=st.sampled_from([None, "low", "max"]),
        is_adaptive=st.just(True),
        summary=st.sampled_from([None, "summarized", "omitted"]),
    )
    | st.builds(Reasoning, budget_tokens=st.integers(1024, 9999))
    | st.just(Reasoning(is_enabled=False)),
    user=st.none() | some.NAMES,
    service_tier=st.none() | st.just("auto"),
    extras=st.just({}) | st.just({"container": "c_1"}),
)

# What both formats can say in the same words.
common = st.builds(
    GenerationRequest,
    dialect=st.just("anthropic"),
    model=st.just(UPSTREAM_NAME),
    turns=some.conversations(
        asked=some.texts | some.images | some.documents,
        thoughts=None,
        said=some.texts,
        given=some.results(),
    ),
    include_usage=st.just(True),
    max_output_tokens=st.integers(1, 9999),
    sampling=st.builds(Sampling, temperature=st.none() | some.UNIT, stop=some.lists(some.WORDS)),
    tools=some.tools(st.none() | st.booleans()),
    tool_choice=some.tool_choices,
)


@given(requests)
def test_what_is_written_is_read_back_equal(request: GenerationRequest) -> None:
    assert DIALECT.read_request(DIALECT.write_request(request, a_model())) == request


@given(common)
def test_a_conversation_survives_the_way_through_openais_format(
    request: GenerationRequest,
) -> None:
    openai, model = OpenAIChat(), a_model(cache_control=True)

    there = openai.read_request(openai.write_request(request, model))
    back = DIALECT.read_request(DIALECT.write_request(there, a_model()))

    assert back == request


def test_reads_what_a_coding_agent_sends() -> None:
    cached = {"cache_control": {"type": "ephemeral"}}
    request = read(
        system=[{"type": "text", "text": "You code."} | cached],
        metadata={"user_id": "u-1"},
        thinking={"type": "enabled", "budget_tokens": 2048},
        tools=[{"name": "read", "input_schema": {"type": "object"}} | cached],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "look"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "is_error": True,
                        "content": [{"type": "text", "text": "no"}],
                    },
                    {"type": "text", "text": "go on"} | cached,
                ],
            },
        ],
    )

    assert request.turns == (
        Turn(role=Role.SYSTEM, parts=(Text(text="You code.", cache="5m"),)),
        Turn(role=Role.USER, parts=(Text(text="look"),)),
        Turn(
            role=Role.ASSISTANT,
            parts=(
                Thinking(text="hm", opaque="sig", opaque_of="anthropic"),
                ToolCall(id="t1", name="read", arguments='{"path":"a"}'),
            ),
        ),
        Turn(
            role=Role.TOOL,
            parts=(ToolResult(call_id="t1", parts=(Text(text="no"),), is_error=True),),
        ),
        Turn(role=Role.USER, parts=(Text(text="go on", cache="5m"),)),
    )
    assert request.reasoning == Reasoning(budget_tokens=2048)
    assert request.tool_choice == ToolChoice(mode=ToolMode.REQUIRED)
    assert request.parallel_tools is False
    assert request.user == "u-1"
    assert request.tools == (FunctionTool(name="read", parameters={"type": "object"}, cache="5m"),)


def test_reads_every_source() -> None:
    sources: list[dict[str, Any]] = [
        {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        {"type": "url", "url": "https://a/b.png"},
        {"type": "file", "file_id": "file_1"},
    ]
    content = [{"type": "image", "source": source} for source in sources]
    plain = {"type": "text", "media_type": "text/plain", "data": "hi"}
    content.append({"type": "document", "source": plain, "title": "note"})

    parts = read(messages=[{"role": "user", "content": content}]).turns[0].parts

    assert parts == (
        Image(source=Inline(media_type="image/png", data="AAAA")),
        Image(source=Url(url="https://a/b.png")),
        Image(source=StoredFile(id="file_1")),
        File(source=Inline(media_type="text/plain", data="aGk="), name="note"),
    )


def test_a_tool_that_anthropic_runs_itself_stays_as_it_is() -> None:
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}

    request = read(tools=[tool])

    assert request.tools == (
        HostedTool(dialect="anthropic", type="web_search_20250305", definition=tool),
    )
    assert written(request)["tools"] == [tool]


def test_what_only_anthropic_has_goes_back_to_it_alone() -> None:
    block = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": "x"}}
    request = read(messages=[{"role": "assistant", "content": [block]}])

    assert written(request)["messages"] == [{"role": "assistant", "content": [block]}]
    with pytest.raises(UnsupportedByModelError) as caught:
        OpenAIChat().write_request(request, a_model())
    assert caught.value.param == "messages[0].content"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"text": "x"}]}]},
            "messages[0].content[0].type",
        ),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"output_config": {"format": {"type": "yaml"}}}, "output_config.format.type"),
        ({"temperature": "hot"}, "temperature"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(**members)

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"choices": 2}, "n"),
        ({"sampling": Sampling(seed=1)}, "seed"),
        ({"sampling": Sampling(presence_penalty=0.5)}, "presence_penalty"),
        ({"sampling": Sampling(logit_bias={"5": 1})}, "logit_bias"),
        ({"sampling": Sampling(logprobs=True)}, "logprobs"),
        ({"sampling": Sampling(temperature=1.5)}, "temperature"),
        ({"verbosity": "low"}, "verbosity"),
        ({"output": OutputFormat(kind=OutputKind.JSON)}, "response_format"),
        ({"extras": {"web_search_options": {}}}, "web_search_options"),
        ({"tools": (HostedTool(dialect="openai", type="custom", definition={}),)}, "tools[0]"),
    ],
    ids=str,
)
def test_what_anthropic_does_not_know_is_refused_by_name(
    members: dict[str, Any], param: str
) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(asking(**members))

    assert caught.value.param == param


@pytest.mark.parametrize(
    "part",
    [
        Audio(data="AAAA", format="wav"),
        Foreign(dialect="openai", json="{}"),
        File(source=StoredFile(id="file-1")),
        File(source=Inline(media_type="application/zip", data="AAAA")),
        ToolCall(id="c", name="f", arguments="{"),
    ],
    ids=["audio", "foreign", "stored file", "archive", "broken call"],
)
def test_a_part_that_cannot_be_said_is_refused(part: Any) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(asking(HELLO, Turn(role=Role.USER, parts=(part,))))

    assert caught.value.param == "messages[1].content"


def test_names_of_speakers_are_refused() -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        written(asking(Turn(role=Role.USER, parts=(Text(text="x"),), name="ann")))

    assert caught.value.param == "messages[0].name"


def test_thoughts_that_anthropic_has_not_signed_stay_behind() -> None:
    said = Turn(role=Role.ASSISTANT, parts=(Thinking(text="hm"), Text(text="yes")))

    assert written(asking(HELLO, said))["messages"][1]["content"] == [
        {"type": "text", "text": "yes"}
    ]


def test_ids_of_other_providers_are_made_fit_at_both_ends() -> None:
    call = Turn(role=Role.ASSISTANT, parts=(ToolCall(id="functions.f:0", name="f", arguments=""),))
    result = Turn(role=Role.TOOL, parts=(ToolResult(call_id="functions.f:0", parts=()),))

    messages = written(asking(HELLO, call, result))["messages"]

    assert messages[1]["content"][0]["id"] == "functions_f_0"
    assert messages[1]["content"][0]["input"] == {}
    assert messages[2]["content"][0]["tool_use_id"] == "functions_f_0"


def test_a_limit_is_always_said() -> None:
    assert written(asking())["max_tokens"] == 8192


def test_the_system_has_the_first_word_and_may_have_later_ones() -> None:
    rule = Turn(role=Role.DEVELOPER, parts=(Text(text="be brief"),))

    body = written(asking(rule, HELLO, rule))

    assert body["system"] == [{"type": "text", "text": "be brief"}]
    assert [message["role"] for message in body["messages"]] == ["user", "system"]


@pytest.mark.parametrize(
    ("reasoning", "options", "members"),
    [
        (
            Reasoning(effort="high"),
            {},
            {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}},
        ),
        (
            Reasoning(effort="minimal"),
            {},
            {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}},
        ),
        (Reasoning(effort="none"), {}, {"thinking": {"type": "disabled"}}),
        (
            Reasoning(budget_tokens=99),
            {},
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        ),
        (
            Reasoning(effort="low"),
            {"thinking": "budget"},
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        ),
        (
            Reasoning(effort="max"),
            {"thinking": "budget"},
            {"thinking": {"type": "enabled", "budget_tokens": 8191}},
        ),
    ],
    ids=str,
)
def test_an_effort_is_one_of_thinking(
    reasoning: Reasoning, options: dict[str, Any], members: dict[str, Any]
) -> None:
    body = written(asking(reasoning=reasoning), a_model(**options))

    assert {name: body.get(name) for name in ("output_config", "thinking") if name in body} == (
        members
    )


def test_edits_of_thoughts_concern_nobody_else() -> None:
    edits = [{"type": "clear_thinking_20251015", "keep": "all"}]
    others = [*edits, {"type": "clear_tool_uses_20250919"}]

    request = read(context_management={"edits": edits})

    OpenAIChat().write_request(request, a_model())
    with pytest.raises(UnsupportedByModelError) as caught:
        OpenAIChat().write_request(read(context_management={"edits": others}), a_model())
    assert caught.value.param == "context_management"


def test_where_a_model_runs_is_no_small_matter() -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        OpenAIChat().write_request(read(inference_geo="eu"), a_model())

    assert caught.value.param == "inference_geo"


def test_a_model_that_must_call_a_tool_is_not_asked_to_think_first() -> None:
    choice = ToolChoice(mode=ToolMode.REQUIRED)

    body = written(asking(reasoning=Reasoning(effort="high"), tool_choice=choice))

    assert body["output_config"] == {"effort": "high"}
    assert "thinking" not in body


def test_prompts_are_kept_for_clients_that_cannot_ask_for_it() -> None:
    model = a_model(prompt_cache="1h")

    assert written(asking(), model)["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert "cache_control" not in written(asking(dialect="anthropic"), model)
    assert "cache_control" not in written(asking())


@pytest.mark.parametrize("options", [{"prompt_cache": "2h"}, {"prompt_cash": "1h"}], ids=str)
def test_options_that_are_unknown_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        written(asking(), a_model(**options))

    assert caught.value.param == "options"


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("claude-opus-4-6", {}, "adaptive"),
        ("claude-sonnet-4-5-20250929", {}, "enabled"),
        ("claude-opus-4-20250514", {}, "enabled"),
        ("claude-haiku-4-5", {}, "enabled"),
        ("claude-3-7-sonnet-latest", {}, "enabled"),
        ("claude-haiku-4-5", {"thinking": "adaptive"}, "adaptive"),
        ("my-own-name", {"thinking": "budget"}, "enabled"),
        ("my-own-name", {}, "adaptive"),
    ],
)
def test_older_models_are_known_by_their_names(
    name: str, options: dict[str, Any], kind: str
) -> None:
    model = replace(a_model(**options), upstream_name=name)

    body = written(asking(reasoning=Reasoning(effort="low")), model)

    assert body["thinking"]["type"] == kind
