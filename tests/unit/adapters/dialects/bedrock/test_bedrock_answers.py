from typing import Any

import pytest

from adapters.dialects.bedrock.dialect import BedrockDialect
from domain.inference.conversation.answer import GenerationAnswer, StopReason
from domain.inference.conversation.parts import (
    Foreign,
    Image,
    Inline,
    Part,
    Text,
    Thinking,
    ToolCall,
)
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage
from tests.fakes.bedrock_wire import converse_answer
from tests.fakes.wire_failures import WireFailures


def read(body: bytes) -> GenerationAnswer:
    return BedrockDialect(WireFailures(), "anthropic").read_answer(body)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"text": "hi"}, Text(text="hi")),
        (
            {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Bern"}}},
            ToolCall(id="c1", name="weather", arguments='{"city":"Bern"}'),
        ),
        (
            {"toolUse": {"toolUseId": "c1", "name": "now"}},
            ToolCall(id="c1", name="now", arguments="{}"),
        ),
        (
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
            Thinking(text="hm", opaque="sig", opaque_of="anthropic"),
        ),
        ({"reasoningContent": {"reasoningText": {"text": "hm"}}}, Thinking(text="hm")),
        (
            {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
            Thinking(opaque="c2VjcmV0", opaque_of="anthropic", is_redacted=True),
        ),
        (
            {"image": {"format": "png", "source": {"bytes": "aGk="}}},
            Image(source=Inline(media_type="image/png", data="aGk=")),
        ),
        (
            {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": []}},
            Text(text="ab"),
        ),
        (
            {"video": {"format": "mp4"}},
            Foreign(dialect="bedrock", json='{"video":{"format":"mp4"}}'),
        ),
    ],
    ids=[
        "text",
        "call",
        "call-without-arguments",
        "thought",
        "unsigned-thought",
        "redacted-thought",
        "image",
        "cited",
        "its-own",
    ],
)
def test_blocks_are_parts(block: dict[str, Any], expected: Part) -> None:
    (choice,) = read(converse_answer(block)).choices

    assert choice.parts == (expected,)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", StopReason.END),
        ("tool_use", StopReason.TOOL_CALLS),
        ("max_tokens", StopReason.LENGTH),
        ("stop_sequence", StopReason.STOP_SEQUENCE),
        ("guardrail_intervened", StopReason.FILTERED),
        ("content_filtered", StopReason.FILTERED),
        ("model_context_window_exceeded", StopReason.CONTEXT_LENGTH),
        ("something_new", StopReason.END),
    ],
)
def test_reasons_to_stop_are_known(reason: str, stop: StopReason) -> None:
    assert read(converse_answer({"text": "x"}, stop=reason)).choices[0].stop is stop


def test_the_sequence_that_stopped_it_is_told() -> None:
    body = converse_answer(
        {"text": "x"},
        stop="stop_sequence",
        additionalModelResponseFields={"stop_sequence": "END"},
    )

    assert read(body).choices[0].stop_sequence == "END"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15},
            Usage(prompt_tokens=12, completion_tokens=3),
        ),
        (
            {
                "inputTokens": 10,
                "outputTokens": 200,
                "totalTokens": 3710,
                "cacheReadInputTokens": 3000,
                "cacheWriteInputTokens": 500,
                "cacheDetails": [
                    {"inputTokens": 400, "ttl": "1h"},
                    {"inputTokens": 100, "ttl": "5m"},
                ],
            },
            Usage(
                prompt_tokens=3510,
                cached_tokens=3000,
                cache_write_tokens=500,
                cache_write_1h_tokens=400,
                completion_tokens=200,
            ),
        ),
        ({}, None),
    ],
    ids=["plain", "cached", "empty"],
)
def test_usage_includes_what_was_cached(usage: object, expected: Usage | None) -> None:
    assert read(converse_answer({"text": "x"}, usage=usage)).usage == expected


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"{}",
        b'{"output":{},"stopReason":"end_turn"}',
        converse_answer({"toolUse": {}}),
        converse_answer(stop="malformed_tool_use"),
        converse_answer(stop="malformed_model_output"),
    ],
)
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        read(body)
