from typing import Any

import msgspec
import pytest

from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import (
    Delta,
    Measured,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
)
from domain.inference.conversation.parts import Text, Thinking, ToolCall
from domain.inference.conversation.request import GenerationRequest, Reasoning
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
)
from domain.shared.errors import InvalidError, StoaError
from domain.shared.usage import Usage
from tests.fakes.any_conversation import events_of

DIALECT = OpenAIResponsesDialect()
REQUEST = GenerationRequest(dialect="openai-responses", model="large", turns=())


def a_response(**members: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 5,
        "model": "up",
        "status": "completed",
        "output": [],
    } | members


def read(**members: Any) -> GenerationAnswer:
    return DIALECT.read_answer(msgspec.json.encode(a_response(**members)))


def an_event(kind: str, **members: Any) -> bytes:
    body = msgspec.json.encode({"type": kind} | members)
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), body)


def test_usage_is_read_with_what_it_is_made_of() -> None:
    answer = read(
        usage={
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 30},
            "total_tokens": 150,
        }
    )

    assert answer.usage == Usage(
        prompt_tokens=100,
        cached_tokens=60,
        cache_write_tokens=10,
        completion_tokens=50,
        reasoning_tokens=30,
    )


@pytest.mark.parametrize(
    ("members", "stop"),
    [
        ({}, StopReason.END),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            StopReason.LENGTH,
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            StopReason.FILTERED,
        ),
        (
            {"output": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}]},
            StopReason.TOOL_CALLS,
        ),
        (
            {
                "output": [
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "refusal", "refusal": "No."}],
                    }
                ]
            },
            StopReason.REFUSED,
        ),
    ],
)
def test_why_it_stopped_is_read_from_the_status_and_the_output(
    members: dict[str, Any], stop: StopReason
) -> None:
    assert read(**members).choices[0].stop is stop


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "server_error", "message": "Oops"}, ProviderFailedError),
        ({"code": "rate_limit_exceeded", "message": "Slow"}, ProviderRateLimitedError),
        ({"code": "context_length_exceeded", "message": "Long"}, ContextLengthExceededError),
        ({"code": "invalid_prompt", "message": "Bad"}, ProviderRejectedError),
        (None, ProviderFailedError),
    ],
)
def test_a_response_that_failed_is_raised(
    error: dict[str, str] | None, kind: type[StoaError]
) -> None:
    with pytest.raises(kind):
        read(status="failed", error=error)
    reader = DIALECT.stream_reader()
    failed = an_event("response.failed", response=a_response(status="failed", error=error))
    with pytest.raises(kind):
        reader.feed(failed)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"output": 1}', b'{"output": [{}]}'])
def test_what_is_no_response_is_a_failure_of_the_provider(body: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        DIALECT.read_answer(body)


@pytest.mark.parametrize(
    "said",
    [
        {"code": "rate_limit_exceeded", "message": "Slow", "param": None},
        {"error": {"code": "rate_limit_exceeded", "message": "Slow"}},
    ],
)
def test_an_error_event_is_raised_however_it_is_laid_out(said: dict[str, Any]) -> None:
    with pytest.raises(ProviderRateLimitedError):
        DIALECT.stream_reader().feed(an_event("error", **said))


def test_a_stream_that_ends_early_is_a_failure() -> None:
    reader = DIALECT.stream_reader()
    reader.feed(an_event("response.created", response=a_response()))

    with pytest.raises(ProviderFailedError):
        reader.end()


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: []\n\n", b"data: 7\n\n"])
def test_events_that_are_no_objects_are_a_failure(data: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        DIALECT.stream_reader().feed(data)


def test_a_terse_server_is_understood() -> None:
    """Without parts of contents, names of events, or what was said before the end."""
    reader = DIALECT.stream_reader()

    events = reader.feed(
        b'data: {"type":"response.created","response":{"id":"r","model":"m"}}\n\n'
        b'data: {"type":"response.output_text.delta","output_index":0,"delta":"Hi"}\n\n'
    )
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    message = {"type": "message", "role": "assistant", "content": []}
    events += reader.feed(
        an_event("response.completed", response=a_response(output=[message, call]))
    )

    assert events == [
        Started(id="r", model="m"),
        PartStarted(index=0, kind=PartKind.TEXT),
        Delta(index=0, text="Hi"),
        PartEnded(index=0),
        PartStarted(index=1, kind=PartKind.TOOL_CALL, call_id="c", name="f"),
        Delta(index=1, text="{}"),
        PartEnded(index=1),
        Stopped(reason=StopReason.TOOL_CALLS),
    ]
    assert reader.end() == []


def test_parts_that_overlap_are_written_each_in_its_item() -> None:
    writer = DIALECT.stream_writer(REQUEST)

    data = writer.write(
        [
            Started(id="a1", model="up"),
            PartStarted(index=0, kind=PartKind.TEXT),
            PartStarted(index=1, kind=PartKind.TOOL_CALL, call_id="c1", name="f"),
            PartStarted(index=2, kind=PartKind.TOOL_CALL, call_id="c2", name="g"),
            Delta(index=2, text="{}"),
            Delta(index=0, text="Hi"),
            Delta(index=1, text="[]"),
            PartEnded(index=0),
            PartEnded(index=1),
            PartEnded(index=2),
            Stopped(reason=StopReason.TOOL_CALLS),
            Measured(usage=Usage(prompt_tokens=1)),
        ]
    )
    data += writer.end()

    reader = DIALECT.stream_reader()
    texts: dict[int, str] = {}
    for event in reader.feed(data):
        if isinstance(event, Delta):
            texts[event.index] = texts.get(event.index, "") + event.text
    assert texts == {0: "Hi", 1: "[]", 2: "{}"}
    assert data.count(b"event: response.output_item.done") == 3


def test_thoughts_are_summaries_for_those_who_asked_for_one() -> None:
    thought = Choice(parts=(Thinking(text="Hm."),), stop=StopReason.END)
    answer = GenerationAnswer(id="a", model="m", choices=(thought,))
    asking = GenerationRequest(
        dialect="x", model="large", turns=(), reasoning=Reasoning(summary="auto")
    )

    (shown,) = msgspec.json.decode(DIALECT.write_answer(answer, REQUEST))["output"]
    (summed,) = msgspec.json.decode(DIALECT.write_answer(answer, asking))["output"]

    assert shown["content"] == [{"type": "reasoning_text", "text": "Hm."}]
    assert shown["summary"] == []
    assert summed["summary"] == [{"type": "summary_text", "text": "Hm."}]


@pytest.mark.parametrize(
    ("stop", "status", "details"),
    [
        (StopReason.STOP_SEQUENCE, "completed", None),
        (StopReason.CONTEXT_LENGTH, "incomplete", {"reason": "max_output_tokens"}),
        (StopReason.REFUSED, "incomplete", {"reason": "content_filter"}),
        (StopReason.PAUSE, "incomplete", {"reason": None}),
    ],
)
def test_reasons_without_a_word_are_told_by_the_status(
    stop: StopReason, status: str, details: dict[str, str | None] | None
) -> None:
    choice = Choice(parts=(Text(text="Hm"),), stop=stop)
    answer = GenerationAnswer(id="a", model="m", choices=(choice,))

    response = msgspec.json.decode(DIALECT.write_answer(answer, REQUEST))

    assert (response["status"], response["incomplete_details"]) == (status, details)


def test_logprobs_stand_with_the_text() -> None:
    logprob = {"token": "Hi", "logprob": -0.5, "bytes": [], "top_logprobs": []}
    choice = Choice(
        parts=(ToolCall(id="c", name="f", arguments=""), Text(text="Hi")),
        stop=StopReason.TOOL_CALLS,
        logprobs={"content": [logprob]},
    )
    answer = GenerationAnswer(id="a", model="large", choices=(choice,), service_tier="default")

    written = DIALECT.write_answer(answer, REQUEST)

    assert msgspec.json.decode(written)["output"][1]["content"][0]["logprobs"] == [logprob]
    assert DIALECT.read_answer(written).choices == (choice,)


def test_a_call_that_was_cut_says_so() -> None:
    cut = ToolCall(id="c2", name="f", arguments='{"a": "on')
    choice = Choice(
        parts=(ToolCall(id="c1", name="f", arguments='{"a": 1}'), cut), stop=StopReason.LENGTH
    )
    answer = GenerationAnswer(id="a", model="large", choices=(choice,))

    written = msgspec.json.decode(DIALECT.write_answer(answer, REQUEST))
    streamed = DIALECT.stream_writer(REQUEST)
    events = streamed.write(events_of(answer)) + streamed.end()

    expected = ["completed", "incomplete"]
    assert [item["status"] for item in written["output"]] == expected
    last = msgspec.json.decode(events.rsplit(b"data: ", 1)[1])
    assert [item["status"] for item in last["response"]["output"]] == expected


def test_an_error_event_can_be_raised_by_clients_and_read_by_others() -> None:
    event = DIALECT.write_error(InvalidError("Wrong.", param="input"))

    name, data = event.split(b"\n", 1)
    said = msgspec.json.decode(data.removeprefix(b"data: "))
    assert name == b"event: error"
    assert said["message"] == said["error"]["message"] == "Wrong."
    assert said["param"] == "input"
    assert said["code"] == "validation_error"
