from collections.abc import Iterable
from typing import Any

import pytest

from adapters.dialects.ollama.dialect import OllamaDialect
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
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.ollama_wire import answer_of, line_of, stream_of
from tests.fakes.openai_wire import UPSTREAM_NAME

DIALECT = OllamaDialect(ErrorMapping("acme", [], openai_failure))
USAGE = Usage(prompt_tokens=12, completion_tokens=3)
CREATED = 1_795_262_400
CALLED: dict[str, Any] = {"function": {"name": "weather", "arguments": {"city": "Paris"}}}


def read(lines: Iterable[bytes], *, size: int | None = None) -> list[StreamEvent]:
    reader = DIALECT.stream_reader()
    data = b"".join(lines)
    pieces = [data] if size is None else [data[i : i + size] for i in range(0, len(data), size)]
    seen = [event for piece in pieces for event in reader.feed(piece)]
    return seen + reader.end()


def test_an_answer_is_read_whole() -> None:
    answer = DIALECT.read_answer(answer_of({"content": "hi", "thinking": "hm"}))

    assert answer == GenerationAnswer(
        id="",
        model=UPSTREAM_NAME,
        created=CREATED,
        choices=(Choice(parts=(Thinking(text="hm"), Text(text="hi")), stop=StopReason.END),),
        usage=USAGE,
    )


def test_calls_get_names_of_their_own() -> None:
    named = CALLED | {"id": "call_7"}
    answer = DIALECT.read_answer(answer_of({"tool_calls": [CALLED, CALLED, named]}))

    calls = [part for part in answer.choices[0].parts if isinstance(part, ToolCall)]
    assert len({call.id for call in calls}) == 3
    assert calls[2].id == "call_7"
    assert calls[0].arguments == '{"city":"Paris"}'
    assert answer.choices[0].stop is StopReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("stop", StopReason.END),
        ("length", StopReason.LENGTH),
        ("load", StopReason.END),
        (None, StopReason.END),
    ],
)
def test_every_reason_to_stop_has_its_name(reason: str | None, stop: StopReason) -> None:
    answer = DIALECT.read_answer(answer_of({"content": "hi"}, done_reason=reason))

    assert answer.choices[0].stop is stop


def test_a_prompt_that_was_still_in_memory_is_not_counted_as_nothing() -> None:
    answer = DIALECT.read_answer(answer_of({"content": "hi"}, prompt_eval_count=None))

    assert answer.usage is None


@pytest.mark.parametrize("size", [None, 1, 7])
def test_a_stream_is_read_in_pieces_of_any_size(size: int | None) -> None:
    events = read(
        [
            line_of({"thinking": "h"}),
            line_of({"thinking": "m"}),
            line_of({"content": "Grüße"}),
            line_of({"tool_calls": [CALLED | {"id": "call_1"}]}),
            answer_of({}) + b"\n",
        ],
        size=size,
    )

    assert events == [
        Started(id="", model=UPSTREAM_NAME, created=CREATED),
        PartStarted(index=0, kind=PartKind.THINKING),
        Delta(index=0, text="h"),
        Delta(index=0, text="m"),
        PartEnded(index=0),
        PartStarted(index=1, kind=PartKind.TEXT),
        Delta(index=1, text="Grüße"),
        PartEnded(index=1),
        PartStarted(index=2, kind=PartKind.TOOL_CALL, call_id="call_1", name="weather"),
        Delta(index=2, text='{"city":"Paris"}'),
        PartEnded(index=2),
        Stopped(reason=StopReason.TOOL_CALLS),
        Measured(usage=USAGE),
    ]


def test_the_last_line_needs_no_end() -> None:
    events = read([line_of({"content": "hi"}), answer_of({})])

    assert events[-2:] == [Stopped(reason=StopReason.END), Measured(usage=USAGE)]


def test_what_comes_after_the_end_is_nobodys_business() -> None:
    assert read([*stream_of("hi"), b"garbage\n"])[-1] == Measured(usage=USAGE)


def test_a_stream_that_ends_early_has_failed() -> None:
    with pytest.raises(ProviderFailedError, match="terminator"):
        read([line_of({"content": "hi"})])


def test_an_error_inside_a_stream_is_raised_after_what_came_before() -> None:
    reader = DIALECT.stream_reader()

    seen = reader.feed(line_of({"content": "hi"}) + b'{"error":"out of memory"}\n')

    assert seen[-1] == Delta(index=0, text="hi")
    with pytest.raises(StoaError):
        reader.feed(b"")
    with pytest.raises(StoaError):
        reader.end()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"<html>", b'{"message":1}', b'{"message":{"role":"assistant"}}']
)
def test_what_is_no_answer_has_failed(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        DIALECT.read_answer(body)


def test_a_line_without_an_end_has_failed() -> None:
    reader = DIALECT.stream_reader()

    with pytest.raises(ProviderFailedError, match="without an end"):
        reader.feed(b"x" * (16 * 1024 * 1024 + 1))


def test_a_time_that_is_none_is_left_out() -> None:
    assert DIALECT.read_answer(answer_of({"content": "x"}, created_at="soon")).created is None


def test_log_probabilities_are_told_with_their_text() -> None:
    other = {"token": "ho", "logprob": -2.0}
    said = {"token": "hi", "logprob": -0.5, "bytes": [104, 105], "top_logprobs": [other]}
    line = line_of({"content": "hi"}, logprobs=[said])

    answer = DIALECT.read_answer(answer_of({"content": "hi"}, logprobs=[said]))
    first = next(event for event in read([line, *stream_of("x")]) if isinstance(event, Delta))

    alternatives = [other | {"bytes": [104, 111]}]
    expected = {"content": [said | {"top_logprobs": alternatives}], "refusal": None}
    assert answer.choices[0].logprobs == expected
    assert first.logprobs == expected
