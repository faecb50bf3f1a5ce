"""What a client says arrives whole at Google, Amazon, Ollama and Cohere."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.bedrock.dialect import BedrockDialect
from adapters.dialects.cohere.dialect import CohereDialect
from adapters.dialects.dialect import UpstreamDialect
from adapters.dialects.google.dialect import GoogleDialect
from adapters.dialects.ollama.dialect import OllamaDialect
from domain.inference.conversation.parts import (
    File,
    Image,
    Inline,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from domain.inference.conversation.request import (
    FunctionTool,
    OutputFormat,
    Role,
    Tool,
    ToolChoice,
    ToolMode,
    Turn,
)
from tests.fakes import any_conversation as some
from tests.fakes.conversations import a_chat_model, asking
from tests.fakes.wire_failures import WireFailures

inline_images = some.images.filter(lambda image: isinstance(image.source, Inline))
inline_documents = some.documents.filter(lambda file: isinstance(file.source, Inline))
to_google = some.conversations(
    some.texts | some.images | some.documents,
    some.signed("google"),
    some.texts | some.refusals,
    some.results(errors=True),
)
to_claude = some.conversations(
    some.texts | inline_images | inline_documents,
    some.signed("anthropic") | some.redacted("anthropic"),
    some.texts | some.refusals,
    some.results(errors=True),
)

to_ollama = some.conversations(
    some.texts | inline_images,
    some.unsigned,
    some.texts | some.refusals,
    some.results(errors=True),
)
to_cohere = some.conversations(
    some.texts | some.images,
    some.unsigned,
    some.texts | some.refusals,
    some.results(errors=True),
)


def with_results_of_calls(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The results drawn, each as one of the calls before it."""
    found: list[Turn] = []
    for turn in turns:
        if turn.role is Role.TOOL:
            ids = cycle([part.id for part in found[-1].parts if isinstance(part, ToolCall)])
            given = [part for part in turn.parts if isinstance(part, ToolResult)]
            parts = tuple(replace(one, call_id=next(ids)) for one in given)
            turn = replace(turn, parts=parts)  # noqa: PLW2901 - the same turn, put right
        found.append(turn)
    return tuple(found)


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member)
    else:
        yield str(value)


def meant(part: Part) -> Iterator[str]:
    """The texts that must be found somewhere."""
    match part:
        case Text() | Refusal():
            yield part.text
        case Image() | File():
            source = part.source
            yield source.data if isinstance(source, Inline) else getattr(source, "url", "")
        case ToolCall():
            yield part.name
            yield from leaves(msgspec.json.decode(part.arguments))
        case ToolResult():
            yield part.call_id
            for piece in part.parts:
                yield from meant(piece)
        case Thinking():
            yield part.text
            yield part.opaque or ""


def assert_all_is_said(
    dialect: UpstreamDialect,
    upstream_name: str,
    turns: tuple[Turn, ...],
    **members: Any,
) -> None:
    turns = with_results_of_calls(turns)

    body = dialect.write_request(asking(*turns, **members), a_chat_model(upstream_name))

    everything = "\x00".join(leaves(msgspec.json.decode(body)))
    for turn in turns:
        for part in turn.parts:
            assert all(text in everything for text in meant(part))


@given(turns=to_google)
def test_a_conversation_arrives_whole_at_google(turns: tuple[Turn, ...]) -> None:
    assert_all_is_said(GoogleDialect(WireFailures()), "gemini-3-pro", turns)


@given(turns=to_claude)
def test_a_conversation_arrives_whole_at_amazon(turns: tuple[Turn, ...]) -> None:
    assert_all_is_said(BedrockDialect(WireFailures()), "anthropic.claude-x", turns)


@given(turns=to_ollama)
def test_a_conversation_arrives_whole_at_ollama(turns: tuple[Turn, ...]) -> None:
    assert_all_is_said(OllamaDialect(WireFailures()), "qwen3:8b", turns)


@given(turns=to_cohere)
def test_a_conversation_arrives_whole_at_cohere(turns: tuple[Turn, ...]) -> None:
    assert_all_is_said(CohereDialect(WireFailures()), "command-a", turns)


@given(tools=some.tools(st.none() | st.booleans()), choice=some.tool_choices)
def test_tools_arrive_whole(tools: tuple[Tool, ...], choice: ToolChoice | None) -> None:
    request = asking(tools=tools, tool_choice=choice)
    names = {tool.name for tool in tools if isinstance(tool, FunctionTool)}

    gemini = msgspec.json.decode(
        GoogleDialect(WireFailures()).write_request(request, a_chat_model("gemini-3-pro"))
    )
    claude = msgspec.json.decode(
        BedrockDialect(WireFailures()).write_request(request, a_chat_model("anthropic.claude-x"))
    )

    declared = gemini["tools"][0]["functionDeclarations"]
    assert {one["name"] for one in declared} == names
    if choice is None or choice.mode is not ToolMode.NONE:
        specs = [one["toolSpec"] for one in claude["toolConfig"]["tools"] if "toolSpec" in one]
        assert {one["name"] for one in specs} == names
        wanted = [tool.parameters for tool in tools if isinstance(tool, FunctionTool)]
        assert [one["inputSchema"]["json"] for one in specs] == wanted


@given(output=some.json_schemas)
def test_schemas_arrive_whole(output: OutputFormat) -> None:
    request = asking(output=output)

    gemini = msgspec.json.decode(
        GoogleDialect(WireFailures()).write_request(request, a_chat_model("gemini-3-pro"))
    )
    claude = msgspec.json.decode(
        BedrockDialect(WireFailures()).write_request(request, a_chat_model("anthropic.claude-x"))
    )

    assert output.schema is not None
    assert output.schema.items() <= gemini["generationConfig"]["responseJsonSchema"].items()
    definition = claude["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert msgspec.json.decode(definition["schema"]) == output.schema
    assert definition["name"] == output.name


def test_links_arrive_as_they_are() -> None:
    link = Image(source=Url(url="https://example.com/a?b=c&d=é"))

    assert_all_is_said(
        GoogleDialect(WireFailures()), "gemini-3-pro", (Turn(role=Role.USER, parts=(link,)),)
    )
