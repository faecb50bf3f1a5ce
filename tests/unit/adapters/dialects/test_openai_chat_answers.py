from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.openai_chat.dialect import OpenAIChat
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import (
    Delta,
    Measured,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import (
    Foreign,
    Image,
    Inline,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from domain.inference.conversation.request import GenerationRequest, Role, Turn
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage
from tests.fakes import any_conversation as some
from tests.fakes.conversations import Assembled, assembled
from tests.fakes.openai_wire import chunk_event, event

DIALECT = OpenAIChat()
DONE = b"data: [DONE]\n\n"


def a_request(**members: Any) -> GenerationRequest:
    turns = (Turn(role=Role.USER, parts=(Text(text="hello"),)),)
    return GenerationRequest(dialect="openai", model="large", turns=turns, **members)


def an_answer(*parts: Any, stop: StopReason = StopReason.END) -> GenerationAnswer:
    return GenerationAnswer(id="a", model="m", choices=(Choice(parts=parts, stop=stop),))


def written(answer: GenerationAnswer, **members: Any) -> dict[str, Any]:
    body = DIALECT.write_answer(answer, a_request(**members))
    return msgspec.json.decode(body, type=dict[str, Any])


def read_stream(*pieces: bytes) -> Assembled:
    reader = DIALECT.stream_reader()
    events = [one for piece in pieces for one in reader.feed(piece)]
    return assembled([*events, *reader.end()])


def streamed(*events: StreamEvent, **members: Any) -> list[dict[str, Any]]:
    writer = DIALECT.stream_writer(a_request(**members))
    lines = (writer.write(events) + writer.end()).split(b"\n\n")
    assert lines[-2:] == [b"data: [DONE]", b""]
    return [msgspec.json.decode(line.removeprefix(b"data: ")) for line in lines[:-2]]


def tool_delta(index: int | None, **members: Any) -> bytes:
    call: dict[str, Any] = {} if index is None else {"index": index}
    return chunk_event({"tool_calls": [call | members]})


@given(
    some.answers(
        some.unsigned | some.signed("anthropic") | some.redacted("anthropic"),
        st.builds(Text, text=some.WORDS) | some.refusals,
        st.sampled_from([StopReason.END, StopReason.LENGTH, StopReason.FILTERED]),
        choices=2,
    )
)
def test_what_is_written_is_read_back_equal(answer: GenerationAnswer) -> None:
    found = DIALECT.read_answer(DIALECT.write_answer(answer, a_request()))

    assert found.choices == answer.choices
    assert found.usage == answer.usage


def test_usage_is_read_with_its_details() -> None:
    details = {"cached_tokens": 4, "audio_tokens": 2, "cache_write_tokens": 1}
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 6,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 1},
    }

    answer = DIALECT.read_answer(msgspec.json.encode({"choices": [], "usage": usage}))

    assert answer.usage == Usage(
        prompt_tokens=12,
        cached_tokens=4,
        cache_write_tokens=1,
        audio_input_tokens=2,
        completion_tokens=6,
        reasoning_tokens=3,
        audio_output_tokens=1,
    )


def test_thoughts_that_are_counted_beside_the_answer_are_part_of_it() -> None:
    usage = {
        "prompt_tokens": 37,
        "completion_tokens": 530,
        "total_tokens": 800,
        "completion_tokens_details": {"reasoning_tokens": 233},
    }

    answer = DIALECT.read_answer(msgspec.json.encode({"choices": [], "usage": usage}))

    assert answer.usage == Usage(prompt_tokens=37, completion_tokens=763, reasoning_tokens=233)


@pytest.mark.parametrize("usage", [None, 5, {}, {"prompt_tokens": "many"}], ids=str)
def test_usage_that_cannot_be_read_is_none(usage: object) -> None:
    body = msgspec.json.encode({"choices": [], "usage": usage})

    assert DIALECT.read_answer(body).usage is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"choices":[5]}', b'{"choices":[{}]}', b'{"error":{}}'], ids=repr
)
def test_what_is_no_answer_is_a_failure_of_the_provider(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        DIALECT.read_answer(body)


def test_a_call_is_why_it_stopped_whatever_the_server_says() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    choice = {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "stop"}

    answer = DIALECT.read_answer(msgspec.json.encode({"choices": [choice]}))

    assert answer.choices[0].stop is StopReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("said", "stop"), [("model_length", StopReason.CONTEXT_LENGTH), ("eos", StopReason.END)]
)
def test_servers_have_words_of_their_own_for_the_end(said: str, stop: StopReason) -> None:
    choice = {"message": {"content": "a"}, "finish_reason": said}

    answer = OpenAIChat().read_answer(msgspec.json.encode({"choices": [choice]}))

    assert answer.choices[0].stop is stop


def test_an_answer_that_ended_in_an_error_is_none() -> None:
    choice = {"message": {"content": "a"}, "finish_reason": "error"}

    with pytest.raises(ProviderFailedError, match="ended its answer with an error"):
        OpenAIChat().read_answer(msgspec.json.encode({"choices": [choice]}))


def test_who_asked_with_functions_is_answered_with_a_function_call() -> None:
    call = ToolCall(id="c", name="f", arguments="{}")

    choice = written(
        an_answer(call, stop=StopReason.TOOL_CALLS), extras={"functions": [{"name": "f"}]}
    )["choices"][0]

    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"


def test_the_answer_has_the_name_that_was_asked_for() -> None:
    body = written(an_answer(Text(text="x"), Foreign(dialect="anthropic", json="{}")))

    assert body["model"] == "large"
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "x",
        "refusal": None,
    }


def test_parallel_calls_may_come_in_pieces_of_each_other() -> None:
    found = read_stream(
        chunk_event({"role": "assistant", "content": ""}),
        chunk_event({"content": "let me see"}),
        tool_delta(0, id="a", function={"name": "f", "arguments": ""}),
        tool_delta(1, id="b", function={"name": "g", "arguments": '{"x"'}),
        tool_delta(0, function={"arguments": '{"y":1}'}),
        tool_delta(1, function={"arguments": ":2}"}),
        chunk_event(finish_reason="tool_calls"),
        chunk_event(choices=False, usage={"prompt_tokens": 3, "completion_tokens": 2}),
        DONE,
    )

    assert found.parts[0] == [
        Text(text="let me see"),
        ToolCall(id="a", name="f", arguments='{"y":1}'),
        ToolCall(id="b", name="g", arguments='{"x":2}'),
    ]
    assert found.stops == {0: StopReason.TOOL_CALLS}
    assert found.usage == Usage(prompt_tokens=3, completion_tokens=2)


def test_calls_without_numbers_are_told_apart_by_their_ids() -> None:
    found = read_stream(
        tool_delta(None, id="a", function={"name": "f", "arguments": "{}"}),
        tool_delta(None, id="b", function={"name": "g", "arguments": "{"}),
        tool_delta(None, function={"arguments": "}"}),
        chunk_event(finish_reason="stop"),
        DONE,
    )

    assert found.parts[0] == [
        ToolCall(id="a", name="f", arguments="{}"),
        ToolCall(id="b", name="g", arguments="{}"),
    ]
    assert found.stops[0] is StopReason.TOOL_CALLS


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_come_before_what_is_said(name: str) -> None:
    found = read_stream(
        chunk_event({name: "2 and "}),
        chunk_event({name: "2"}),
        chunk_event({"content": "4"}),
        chunk_event({"refusal": "no more"}),
        chunk_event(finish_reason="stop"),
        DONE,
    )

    assert found.parts[0] == [Thinking(text="2 and 2"), Text(text="4"), Refusal(text="no more")]


def test_choices_come_in_pieces_of_each_other() -> None:
    def said(index: int, delta: object, finish: str | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "finish_reason": finish}
        return event({"id": "x", "choices": [choice]})

    found = read_stream(
        said(0, {"content": "a"}),
        said(1, {"content": "b"}),
        said(0, {"content": "A"}, "stop"),
        said(1, {}, "length"),
        DONE,
    )

    assert found.parts == {0: [Text(text="aA")], 1: [Text(text="b")]}
    assert found.stops == {0: StopReason.END, 1: StopReason.LENGTH}


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [chunk_event({"content": "a"})],
        [b"data: nonsense\n\n"],
        [b"data: [1]\n\n"],
        [b'data: {"choices":[5]}\n\n'],
        [b'data: {"error":{"message":"no"}}\n\n'],
    ],
    ids=["nothing", "unfinished", "no json", "no object", "no choice", "an error"],
)
def test_what_is_no_whole_stream_is_a_failure_of_the_provider(pieces: list[bytes]) -> None:
    with pytest.raises(ProviderFailedError):
        read_stream(*pieces)


def test_writes_what_openai_would() -> None:
    chunks = streamed(
        Started(id="x", model="m", created=5),
        PartStarted(index=0, kind=PartKind.THINKING),
        Delta(index=0, text="hm"),
        PartEnded(index=0),
        PartStarted(index=1, kind=PartKind.TEXT),
        Delta(index=1, text="yes"),
        PartEnded(index=1),
        PartStarted(index=2, kind=PartKind.TOOL_CALL, call_id="c", name="f"),
        Delta(index=2, text="{}"),
        PartEnded(index=2),
        Stopped(reason=StopReason.TOOL_CALLS),
        Measured(usage=Usage(prompt_tokens=1, completion_tokens=2)),
        include_usage=True,
    )

    head = {"id": "x", "object": "chat.completion.chunk", "created": 5, "model": "large"}
    assert all(head.items() <= chunk.items() for chunk in chunks)
    opened = {"index": 0, "id": "c", "type": "function"}
    assert [chunk["choices"][0]["delta"] for chunk in chunks[:-1]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"reasoning_content": "hm"},
        {"content": "yes"},
        {"tool_calls": [opened | {"function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 3


def test_usage_is_only_told_to_those_who_ask() -> None:
    chunks = streamed(
        Started(id="x", model="m"),
        Stopped(reason=StopReason.END),
        Measured(usage=Usage(prompt_tokens=1)),
    )

    assert not [chunk for chunk in chunks if "usage" in chunk]


def test_log_probabilities_go_with_their_text() -> None:
    tokens = {"content": [{"token": "a", "logprob": -0.5}]}
    choice = {"index": 0, "delta": {"content": "a"}, "logprobs": tokens, "finish_reason": "stop"}

    assert read_stream(event({"choices": [choice]}), DONE).logprobs == [tokens]


@given(
    some.answers(
        some.unsigned | some.signed("anthropic"),
        st.builds(Text, text=some.WORDS),
        st.just(StopReason.END),
    )
)
def test_a_stream_that_is_written_is_read_back_equal(answer: GenerationAnswer) -> None:
    writer = DIALECT.stream_writer(a_request(include_usage=True))
    pieces = [writer.write(some.events_of(answer)), writer.end()]

    found = read_stream(*pieces)

    thoughts = [part for part in answer.choices[0].parts if isinstance(part, Thinking)]
    if all(thought.opaque for thought in thoughts[:-1]):
        assert tuple(found.parts.get(0, ())) == answer.choices[0].parts
    assert found.usage == answer.usage
    assert found.stops == {0: answer.choices[0].stop}


def test_pictures_that_a_model_made_stand_beside_its_text() -> None:
    picture = Image(source=Inline(media_type="image/png", data="aGk="))
    entry = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}

    message = written(an_answer(Text(text="Here."), picture))["choices"][0]["message"]
    chunks = streamed(
        Started(id="a", model="m"),
        WholePart(index=0, part=picture),
        WholePart(index=1, part=picture),
        Stopped(reason=StopReason.END),
    )
    back = DIALECT.read_request(
        msgspec.json.encode({"model": "large", "messages": [message | {"role": "assistant"}]})
    )

    assert message["content"] == "Here."
    assert message["images"] == [{"index": 0} | entry]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    images = [delta["images"] for delta in deltas if "images" in delta]
    assert images == [[{"index": 0} | entry], [{"index": 1} | entry]]
    assert back.turns[0].parts == (Text(text="Here."), picture)
