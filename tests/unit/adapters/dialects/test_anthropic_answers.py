from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.anthropic.dialect import Anthropic
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import (
    Delta,
    Measured,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
)
from domain.inference.conversation.parts import Foreign, Text, Thinking, ToolCall
from domain.inference.conversation.request import GenerationRequest, Role, Turn
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage
from tests.fakes import any_conversation as some
from tests.fakes.conversations import Assembled, assembled

DIALECT = Anthropic()
REQUEST = GenerationRequest(
    dialect="anthropic",
    model="large",
    turns=(Turn(role=Role.USER, parts=(Text(text="hello"),)),),
    include_usage=True,
)
STOPS = st.sampled_from([stop for stop in StopReason if stop is not StopReason.FILTERED])


def sse(kind: str, **members: Any) -> bytes:
    data = msgspec.json.encode({"type": kind} | members)
    return f"event: {kind}\n".encode() + b"data: " + data + b"\n\n"


def begun(**usage: int) -> bytes:
    return sse("message_start", message={"id": "msg_1", "model": "m", "usage": usage})


def block(index: int, kind: str, *deltas: dict[str, Any], **members: Any) -> bytes:
    return b"".join(
        [
            sse("content_block_start", index=index, content_block={"type": kind} | members),
            *(sse("content_block_delta", index=index, delta=delta) for delta in deltas),
            sse("content_block_stop", index=index),
        ]
    )


def ended(stop_reason: str = "end_turn", **usage: int) -> bytes:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return sse("message_delta", delta=delta, usage=usage) + sse("message_stop")


def read_stream(*pieces: bytes) -> Assembled:
    reader = DIALECT.stream_reader()
    events = [one for piece in pieces for one in reader.feed(piece)]
    return assembled([*events, *reader.end()])


def streamed(*events: StreamEvent) -> list[dict[str, Any]]:
    writer = DIALECT.stream_writer(REQUEST)
    said = b"".join(writer.write([event]) for event in events) + writer.end()
    found = []
    for one in said.split(b"\n\n")[:-1]:
        name, _, data = one.partition(b"\n")
        found.append(msgspec.json.decode(data.removeprefix(b"data: "), type=dict[str, Any]))
        assert name.decode() == f"event: {found[-1]['type']}"
    return found


@given(
    some.answers(
        some.unsigned | some.signed("anthropic") | some.redacted("anthropic"),
        st.builds(Text, text=some.WORDS),
        STOPS,
    )
)
def test_what_is_written_is_read_back_equal(answer: GenerationAnswer) -> None:
    found = DIALECT.read_answer(DIALECT.write_answer(answer, REQUEST))

    assert found == answer


@given(
    some.answers(
        some.unsigned | some.signed("google") | some.redacted("anthropic"),
        st.builds(Text, text=some.WORDS),
        STOPS,
    )
)
def test_a_stream_that_is_written_is_read_back_equal(answer: GenerationAnswer) -> None:
    writer = DIALECT.stream_writer(REQUEST)

    found = read_stream(writer.write(some.events_of(answer)), writer.end())

    assert tuple(found.parts.get(0, ())) == answer.choices[0].parts
    assert found.stops == {0: answer.choices[0].stop}
    assert found.usage == answer.usage


def test_what_was_cached_counts_as_asked() -> None:
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 1000,
        "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 5},
    }

    answer = DIALECT.read_answer(msgspec.json.encode({"content": [], "usage": usage}))

    assert answer.usage == Usage(
        prompt_tokens=1110,
        cached_tokens=1000,
        cache_write_tokens=100,
        cache_write_1h_tokens=40,
        completion_tokens=7,
        reasoning_tokens=5,
    )


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("end_turn", StopReason.END),
        ("max_tokens", StopReason.LENGTH),
        ("stop_sequence", StopReason.STOP_SEQUENCE),
        ("tool_use", StopReason.TOOL_CALLS),
        ("pause_turn", StopReason.PAUSE),
        ("refusal", StopReason.REFUSED),
        ("model_context_window_exceeded", StopReason.CONTEXT_LENGTH),
        ("something_new", StopReason.END),
    ],
)
def test_says_why_it_stopped(word: str, stop: StopReason) -> None:
    body = msgspec.json.encode({"content": [], "stop_reason": word})

    assert DIALECT.read_answer(body).choices[0].stop is stop


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"content":[5]}', b'{"type":"error","error":{}}'], ids=repr
)
def test_what_is_no_answer_is_a_failure_of_the_provider(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        DIALECT.read_answer(body)


@pytest.mark.parametrize("arguments", ["{", "[1]", "5", '{"a": \x00}'])
def test_arguments_that_are_no_object_are_told_in_one(arguments: str) -> None:
    call = ToolCall(id="c", name="f", arguments=arguments)
    choice = Choice(parts=(call,), stop=StopReason.TOOL_CALLS)

    written = DIALECT.write_answer(
        GenerationAnswer(id="m", model="large", choices=(choice,)), REQUEST
    )

    [block] = msgspec.json.decode(written)["content"]
    assert block["input"] == {"INVALID_JSON": arguments}
    assert (block["name"], block["id"]) == ("f", "c")


def test_reads_a_stream_with_everything_in_it() -> None:
    found = read_stream(
        begun(input_tokens=5, cache_read_input_tokens=3, output_tokens=1),
        sse("ping"),
        block(
            0,
            "thinking",
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "signature_delta", "signature": "sig"},
            thinking="",
            signature="",
        ),
        block(1, "redacted_thinking", data="secret"),
        block(
            2,
            "text",
            {"type": "text_delta", "text": "so"},
            {"type": "citations_delta", "citation": {}},
            text="",
        ),
        block(3, "server_tool_use", {"type": "input_json_delta", "partial_json": '{"q":1}'}),
        block(4, "tool_use", id="t1", name="now", input={}),
        block(
            5,
            "tool_use",
            {"type": "input_json_delta", "partial_json": '{"a'},
            {"type": "input_json_delta", "partial_json": '":1}'},
            id="t2",
            name="f",
            input={},
        ),
        ended("tool_use", output_tokens=9),
    )

    assert found.parts[0] == [
        Thinking(text="hm", opaque="sig", opaque_of="anthropic"),
        Thinking(opaque="secret", opaque_of="anthropic", is_redacted=True),
        Text(text="so"),
        Foreign(dialect="anthropic", json='{"type":"server_tool_use","input":{"q":1}}'),
        ToolCall(id="t1", name="now", arguments="{}"),
        ToolCall(id="t2", name="f", arguments='{"a":1}'),
    ]
    assert found.stops == {0: StopReason.TOOL_CALLS}
    assert found.usage == Usage(prompt_tokens=8, cached_tokens=3, completion_tokens=9)


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [begun()],
        [b"data: nonsense\n\n"],
        [b"data: [1]\n\n"],
        [sse("content_block_stop", index=3)],
        [begun(), sse("error", error={"type": "overloaded_error", "message": "no"})],
    ],
    ids=["nothing", "unfinished", "no json", "no object", "no such block", "an error"],
)
def test_what_is_no_whole_stream_is_a_failure_of_the_provider(pieces: list[bytes]) -> None:
    with pytest.raises(ProviderFailedError):
        read_stream(*pieces)


def test_parts_that_overlap_follow_each_other() -> None:
    events = streamed(
        Started(id="x", model="m"),
        PartStarted(index=0, kind=PartKind.TOOL_CALL, call_id="a", name="f"),
        PartStarted(index=1, kind=PartKind.TOOL_CALL, call_id="b", name="g"),
        Delta(index=1, text='{"b":2}'),
        Delta(index=0, text='{"a":1}'),
        PartEnded(index=0),
        PartEnded(index=1),
        Stopped(reason=StopReason.TOOL_CALLS),
        Measured(usage=Usage(prompt_tokens=4, completion_tokens=2)),
    )

    assert [(one["type"], one.get("index")) for one in events] == [
        ("message_start", None),
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert events[1]["content_block"]["id"] == "a"
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-2]["usage"]["input_tokens"] == 4


def test_what_is_known_at_once_is_told_at_once() -> None:
    writer = DIALECT.stream_writer(REQUEST)

    said = writer.write(
        [Started(id="x", model="m"), Measured(usage=Usage(prompt_tokens=9, cached_tokens=2))]
    )

    usage = msgspec.json.decode(said.partition(b"data: ")[2])["message"]["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (7, 2)


def test_signatures_of_other_dialects_come_back_to_them() -> None:
    events = streamed(
        Started(id="x", model="m"),
        PartStarted(index=0, kind=PartKind.THINKING),
        Delta(index=0, text="hm"),
        Opaque(index=0, value="sig", of="google"),
        PartEnded(index=0),
        Stopped(reason=StopReason.END),
    )
    signature = events[3]["delta"]["signature"]
    thought = {"type": "thinking", "thinking": "hm", "signature": signature}
    message = {"role": "assistant", "content": [thought]}
    body = msgspec.json.encode({"model": "large", "messages": [message]})

    assert DIALECT.read_request(body).turns[0].parts == (
        Thinking(text="hm", opaque="sig", opaque_of="google"),
    )


def test_a_call_that_was_cut_off_by_the_limit_is_told_without_its_arguments() -> None:
    call = ToolCall(id="t", name="w", arguments='{"city": "Pa')
    cut = Choice(parts=(call,), stop=StopReason.LENGTH)

    body = DIALECT.write_answer(GenerationAnswer(id="a", model="m", choices=(cut,)), REQUEST)

    message = msgspec.json.decode(body)
    assert message["content"] == [{"type": "tool_use", "id": "t", "name": "w", "input": {}}]
    assert message["stop_reason"] == "max_tokens"
