from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent

from adapters.dialects.events import EventReader
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import StreamEvent
from domain.inference.conversation.parts import Thinking, ToolCall
from domain.inference.conversation.request import GenerationRequest, Reasoning
from tests.builders import a_model
from tests.fixtures.said_in_responses import NAME, answers, base64s, names, requests, words
from tests.fixtures.streamed import answer_of, events_of

DIALECT = OpenAIResponsesDialect()
# Machines are busy, and pydantic makes its models when they are first needed.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
EVENT_TYPES = {
    get_args(event.model_fields["type"].annotation)[0]: event
    for event in get_args(get_args(ResponseStreamEvent)[0])
}
MODEL = a_model(upstream_name="large-upstream")


def a_request(**fields: Any) -> GenerationRequest:
    return GenerationRequest(**({"dialect": NAME, "model": "large", "turns": ()} | fields))


@PATIENT
@given(requests)
def test_a_request_is_read_as_it_was_written(request: GenerationRequest) -> None:
    written = DIALECT.write_request(request, MODEL)

    assert DIALECT.read_request(written) == request


@PATIENT
@given(answers(), st.booleans())
def test_an_answer_is_read_as_it_was_written(answer: GenerationAnswer, wants: bool) -> None:
    request = a_request(reasoning=Reasoning(summary="auto") if wants else None)

    written = DIALECT.write_answer(answer, request)

    assert DIALECT.read_answer(written) == answer
    Response.model_validate_json(written)


@PATIENT
@given(answers(), st.booleans(), st.integers(1, 50))
def test_a_stream_is_read_as_it_was_written(
    answer: GenerationAnswer, wants: bool, size: int
) -> None:
    request = a_request(reasoning=Reasoning(summary="auto") if wants else None)

    written = _streamed(answer, request)

    assert answer_of(_read(written, size)) == replace(answer, service_tier=None)


@PATIENT
@given(answers(), st.booleans())
def test_a_stream_is_numbered_and_every_event_is_of_a_known_type(
    answer: GenerationAnswer, wants: bool
) -> None:
    request = a_request(reasoning=Reasoning(summary="auto") if wants else None)

    written = _streamed(answer, request)

    events = [msgspec.json.decode(event.data) for event in EventReader().feed(written)]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events:
        EVENT_TYPES[event["type"]].model_validate(event)


@PATIENT
@given(answers(), st.booleans())
def test_a_stream_ends_with_what_the_whole_answer_would_be(
    answer: GenerationAnswer, wants: bool
) -> None:
    request = a_request(reasoning=Reasoning(summary="auto") if wants else None)
    whole = msgspec.json.decode(DIALECT.write_answer(answer, request))

    *_, last = EventReader().feed(_streamed(answer, request))

    ended = msgspec.json.decode(last.data)["response"]
    assert [_shape(item) for item in ended["output"]] == [_shape(i) for i in whole["output"]]
    for member in set(whole) - {"output", "service_tier"}:
        assert ended[member] == whole[member]


@PATIENT
@given(base64s, names, words, st.booleans())
def test_what_other_providers_want_back_comes_back_through_the_client(
    opaque: str, call_id: str, text: str, is_streamed: bool
) -> None:
    thought = Thinking(
        text=text, id="rs_1", opaque=opaque, opaque_of="anthropic", is_redacted=not text
    )
    call = ToolCall(id=call_id, name="f", arguments="{}", opaque=opaque, opaque_of="google")
    answer = _answer_of(thought, call)

    if is_streamed:
        *_, last = EventReader().feed(_streamed(answer, a_request()))
        response = msgspec.json.decode(last.data)["response"]
    else:
        response = msgspec.json.decode(DIALECT.write_answer(answer, a_request()))

    body = msgspec.json.encode({"model": "large", "input": response["output"]})
    (turn,) = DIALECT.read_request(body).turns
    assert turn.parts == (thought, call)


def _answer_of(*parts: Thinking | ToolCall) -> GenerationAnswer:
    choice = Choice(parts=parts, stop=StopReason.TOOL_CALLS)
    return GenerationAnswer(id="resp_1", model="large", choices=(choice,), created=1)


def _streamed(answer: GenerationAnswer, request: GenerationRequest) -> bytes:
    writer = DIALECT.stream_writer(request)
    return b"".join(writer.write([event]) for event in events_of(answer)) + writer.end()


def _read(data: bytes, size: int) -> Iterator[StreamEvent]:
    reader = DIALECT.stream_reader()
    for start in range(0, len(data), size):
        yield from reader.feed(data[start : start + size])
    yield from reader.end()


def _shape(item: dict[str, Any]) -> dict[str, Any]:
    """An item but for what only one of the two ways has a word for."""
    return {name: value for name, value in item.items() if name not in ("id", "status")}
