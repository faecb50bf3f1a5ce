from typing import Any

import msgspec
import pytest

from adapters.dialects.google.dialect import GoogleDialect
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.parts import (
    Audio,
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
from tests.fakes.gemini_wire import answer_of, candidate, error_of
from tests.fakes.wire_failures import WireFailures


def read(body: bytes) -> GenerationAnswer:
    return GoogleDialect(WireFailures()).read_answer(body)


def only(*parts: dict[str, Any], finish: str = "STOP", **members: Any) -> Choice:
    (choice,) = read(answer_of(candidate(*parts, finish=finish, **members))).choices
    return choice


def test_an_answer_has_its_id_its_model_and_its_text_in_one_piece() -> None:
    answer = read(answer_of(candidate({"text": "Hello, "}, {"text": "world."}, finish="STOP")))

    assert (answer.id, answer.model) == ("r-1", "gemini-2.5-flash")
    assert answer.choices == (Choice(parts=(Text(text="Hello, world."),), stop=StopReason.END),)


def test_candidates_are_choices() -> None:
    body = answer_of(
        candidate({"text": "a"}, finish="STOP"),
        candidate({"text": "b"}, finish="MAX_TOKENS", index=1),
    )

    assert [choice.stop for choice in read(body).choices] == [StopReason.END, StopReason.LENGTH]


def test_calls_keep_their_signature_and_have_ids_that_do_not_change() -> None:
    call = {"functionCall": {"name": "weather", "args": {"city": "Bern"}}}
    named = {"functionCall": {"id": "x", "name": "now"}}

    choice = only({**call, "thoughtSignature": "c2ln"}, call, named)

    first, second, third = choice.parts
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.arguments == '{"city":"Bern"}'
    assert (first.opaque, first.opaque_of) == ("c2ln", "google")
    assert first.id.startswith("call_")
    assert first.id != second.id
    assert third == ToolCall(id="x", name="now", arguments="{}")
    assert choice.stop is StopReason.TOOL_CALLS
    assert only(call).parts[0] == ToolCall(id=first.id, name="weather", arguments=first.arguments)


def test_ids_differ_between_answers_that_have_none_of_their_own() -> None:
    call = {"functionCall": {"name": "now"}}
    bodies = [
        answer_of(candidate(call, {"text": text}, finish="STOP"), responseId="") for text in "ab"
    ]

    ids = [answer.choices[0].parts[0] for answer in map(read, bodies)]

    assert len(set(ids)) == 2
    assert len({read(body).id for body in bodies}) == 2


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            [{"text": "h", "thought": True}, {"text": "m", "thought": True}, {"text": "yes"}],
            (Thinking(text="hm"), Text(text="yes")),
        ),
        (
            [{"text": "hm", "thought": True, "thoughtSignature": "c2ln"}],
            (Thinking(text="hm", opaque="c2ln", opaque_of="google"),),
        ),
        (
            [{"text": "yes", "thoughtSignature": "c2ln"}],
            (Text(text="yes"), Thinking(opaque="c2ln", opaque_of="google")),
        ),
        (
            [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
            (Image(source=Inline(media_type="image/png", data="aGk=")),),
        ),
        (
            [{"inlineData": {"mimeType": "audio/wav", "data": "aGk="}}],
            (Audio(data="aGk=", format="wav"),),
        ),
        (
            [{"executableCode": {"language": "PYTHON", "code": "1"}}],
            (
                Foreign(
                    dialect="google", json='{"executableCode":{"language":"PYTHON","code":"1"}}'
                ),
            ),
        ),
    ],
    ids=["thoughts", "signed-thought", "signed-text", "picture", "sound", "its-own"],
)
def test_parts_are_what_they_are(parts: list[dict[str, Any]], expected: tuple[Part, ...]) -> None:
    assert only(*parts).parts == expected


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("STOP", StopReason.END),
        ("MAX_TOKENS", StopReason.LENGTH),
        ("SAFETY", StopReason.FILTERED),
        ("RECITATION", StopReason.FILTERED),
        ("BLOCKLIST", StopReason.FILTERED),
        ("PROHIBITED_CONTENT", StopReason.FILTERED),
        ("SPII", StopReason.FILTERED),
        ("LANGUAGE", StopReason.FILTERED),
        ("IMAGE_SAFETY", StopReason.FILTERED),
        ("OTHER", StopReason.FILTERED),
        ("CONTINUATION", StopReason.LENGTH),
        ("FINISH_REASON_UNSPECIFIED", StopReason.END),
    ],
)
def test_reasons_to_stop_are_known(reason: str, stop: StopReason) -> None:
    assert only({"text": "x"}, finish=reason).stop is stop


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_a_call_that_cannot_be_made_is_a_failure(reason: str) -> None:
    with pytest.raises(ProviderFailedError, match=reason):
        only(finish=reason)


def test_a_refused_prompt_is_a_filtered_answer() -> None:
    body = msgspec.json.encode(
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
        }
    )

    answer = read(body)

    assert answer.choices == (Choice(parts=(), stop=StopReason.FILTERED),)
    assert answer.usage == Usage(prompt_tokens=8)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (
            {"promptTokenCount": 12, "candidatesTokenCount": 3, "totalTokenCount": 15},
            Usage(prompt_tokens=12, completion_tokens=3),
        ),
        (
            {
                "promptTokenCount": 2000,
                "cachedContentTokenCount": 1500,
                "candidatesTokenCount": 40,
                "thoughtsTokenCount": 160,
                "toolUsePromptTokenCount": 25,
                "totalTokenCount": 2225,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 1700},
                    {"modality": "AUDIO", "tokenCount": 300},
                ],
                "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}],
            },
            Usage(
                prompt_tokens=2025,
                cached_tokens=1500,
                audio_input_tokens=300,
                completion_tokens=200,
                reasoning_tokens=160,
                audio_output_tokens=30,
            ),
        ),
        (
            {"promptTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 12},
            Usage(prompt_tokens=5, completion_tokens=7, reasoning_tokens=7),
        ),
        ({"promptTokenCount": "many"}, None),
        ({}, None),
    ],
    ids=["plain", "everything", "only-thoughts", "unreadable", "empty"],
)
def test_usage_includes_thoughts_and_what_its_tools_read(
    metadata: object, expected: Usage | None
) -> None:
    assert read(answer_of(candidate(finish="STOP"), usage=metadata)).usage == expected


def test_logprobs_are_those_of_openai() -> None:
    result = {
        "chosenCandidates": [{"token": "é", "tokenId": 1, "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "e", "logProbability": -1.5}]}],
    }

    assert only({"text": "é"}, logprobsResult=result).logprobs == {
        "content": [
            {
                "token": "é",
                "logprob": -0.5,
                "bytes": [195, 169],
                "top_logprobs": [{"token": "e", "logprob": -1.5, "bytes": [101]}],
            }
        ],
        "refusal": None,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"candidates": []}',
        b'{"candidates": 1}',
        answer_of({"finishReason": "STOP", "content": {"parts": [{"functionCall": {}}]}}),
        error_of(503, "UNAVAILABLE"),
    ],
)
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        read(body)
