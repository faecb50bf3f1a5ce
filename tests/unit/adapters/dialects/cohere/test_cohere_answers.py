from collections.abc import Iterable

import pytest

from adapters.dialects.cohere.dialect import CohereDialect
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
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
)
from domain.inference.conversation.parts import Text, Thinking, ToolCall
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage
from tests.fakes.cohere_wire import answer_of, delta, end, event, start, stream_of, text

DIALECT = CohereDialect(ErrorMapping("acme", [], openai_failure))
USAGE = Usage(prompt_tokens=12, completion_tokens=3)
FUNCTION = {"name": "weather", "arguments": ""}
CALL = {"id": "call_1", "type": "function", "function": FUNCTION}


def read(events: Iterable[bytes], *, size: int | None = None) -> list[StreamEvent]:
    reader = DIALECT.stream_reader()
    data = b"".join(events)
    pieces = [data] if size is None else [data[i : i + size] for i in range(0, len(data), size)]
    seen = [one for piece in pieces for one in reader.feed(piece)]
    return seen + reader.end()


def test_an_answer_is_read_whole_and_counts_what_is_billed() -> None:
    thought = {"type": "thinking", "thinking": "hm"}
    answer = DIALECT.read_answer(answer_of(thought, {"type": "text", "text": "hi"}))

    assert answer == GenerationAnswer(
        id="c-1",
        model="",
        choices=(Choice(parts=(Thinking(text="hm"), Text(text="hi")), stop=StopReason.END),),
        usage=USAGE,
    )


def test_the_plan_of_calls_is_what_was_said_before_them() -> None:
    called = CALL | {"function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    answer = DIALECT.read_answer(
        answer_of(finish="TOOL_CALL", tool_plan="I ask.", tool_calls=[called])
    )

    assert answer.choices[0] == Choice(
        parts=(
            Text(text="I ask."),
            ToolCall(id="call_1", name="weather", arguments='{"city":"Paris"}'),
        ),
        stop=StopReason.TOOL_CALLS,
    )


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("COMPLETE", StopReason.END),
        ("STOP_SEQUENCE", StopReason.STOP_SEQUENCE),
        ("MAX_TOKENS", StopReason.LENGTH),
        ("ERROR_TOXIC", StopReason.FILTERED),
        ("SOMETHING", StopReason.END),
    ],
)
def test_every_reason_to_stop_has_its_name(finish: str, stop: StopReason) -> None:
    answer = DIALECT.read_answer(answer_of({"type": "text", "text": "hi"}, finish=finish))

    assert answer.choices[0].stop is stop


@pytest.mark.parametrize("finish", ["ERROR", "TIMEOUT"])
def test_an_answer_that_ended_in_an_error_has_failed(finish: str) -> None:
    with pytest.raises(ProviderFailedError, match=finish):
        DIALECT.read_answer(answer_of({"type": "text", "text": "hi"}, finish=finish))
    with pytest.raises(ProviderFailedError, match=finish):
        read([start(), end(finish)])


@pytest.mark.parametrize("size", [None, 1, 11])
def test_a_stream_is_read_in_pieces_of_any_size(size: int | None) -> None:
    said = [
        start(),
        delta("content-start", content={"type": "thinking", "thinking": ""}),
        delta("content-delta", content={"thinking": "hm"}),
        event("content-end", index=0),
        delta("tool-plan-delta", tool_plan="I "),
        delta("tool-plan-delta", tool_plan="ask."),
        delta("tool-call-start", tool_calls=CALL),
        delta("tool-call-delta", tool_calls={"function": {"arguments": '{"city":'}}),
        delta("tool-call-delta", tool_calls={"function": {"arguments": '"Paris"}'}}),
        event("tool-call-end", index=0),
        event("citation-start", index=0, delta={"message": {"citations": {}}}),
        end("TOOL_CALL"),
        b"data: [DONE]\n\n",
    ]

    assert read(said, size=size) == [
        Started(id="c-1", model=""),
        PartStarted(index=0, kind=PartKind.THINKING),
        Delta(index=0, text="hm"),
        PartEnded(index=0),
        PartStarted(index=1, kind=PartKind.TEXT),
        Delta(index=1, text="I "),
        Delta(index=1, text="ask."),
        PartEnded(index=1),
        PartStarted(index=2, kind=PartKind.TOOL_CALL, call_id="call_1", name="weather"),
        Delta(index=2, text='{"city":'),
        Delta(index=2, text='"Paris"}'),
        PartEnded(index=2),
        Stopped(reason=StopReason.TOOL_CALLS),
        Measured(usage=USAGE),
    ]


def test_a_text_is_streamed() -> None:
    deltas = [one.text for one in read(stream_of("Grüße", "!")) if isinstance(one, Delta)]

    assert deltas == ["Grüße", "!"]


def test_a_stream_that_ends_early_has_failed() -> None:
    with pytest.raises(ProviderFailedError, match="terminator"):
        read([start(), *text("hi")])


def test_a_call_that_goes_on_without_a_beginning_has_failed() -> None:
    with pytest.raises(ProviderFailedError, match="not begun"):
        read([start(), delta("tool-call-delta", tool_calls={"function": {"arguments": "{"}})])


def test_what_is_said_after_a_call_without_an_end_is_no_part_of_it() -> None:
    said = read([start(), delta("tool-call-start", tool_calls=CALL), *text("hi"), end()])

    kinds = {one.index: one.kind for one in said if isinstance(one, PartStarted)}
    assert kinds == {0: PartKind.TOOL_CALL, 1: PartKind.TEXT}
    assert [one.index for one in said if isinstance(one, Delta)] == [1]


def test_a_failure_is_raised_after_what_came_before() -> None:
    reader = DIALECT.stream_reader()

    seen = reader.feed(start() + b"data: nonsense\n\n")

    assert seen == [Started(id="c-1", model="")]
    with pytest.raises(ProviderFailedError):
        reader.feed(b"")
    with pytest.raises(ProviderFailedError):
        reader.end()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"message":1}'])
def test_what_is_no_answer_has_failed(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        DIALECT.read_answer(body)


def test_without_counts_there_is_no_usage() -> None:
    body = b'{"id":"x","finish_reason":"COMPLETE","message":{"content":[]},"usage":{}}'

    assert DIALECT.read_answer(body).usage is None
