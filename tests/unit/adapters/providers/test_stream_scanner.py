import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from adapters.providers.openai_compatible.scanner import MAX_EVENT_BYTES, StreamScanner
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderFailedError,
    ProviderRateLimitedError,
)
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.openai_wire import (
    DONE,
    PUBLIC_NAME,
    UPSTREAM_NAME,
    USAGE,
    chunk_event,
    event,
    openai_stream,
)

REPORTED = Usage(prompt_tokens=12, cached_tokens=4, completion_tokens=3, reasoning_tokens=1)


def a_scanner(*, include_usage: bool = False, renames: bool = False) -> StreamScanner:
    return StreamScanner(
        ErrorMapping("acme", ["sk-secret"], openai_failure),
        names=(UPSTREAM_NAME, PUBLIC_NAME) if renames else None,
        include_usage=include_usage,
    )


def spaced(events: list[bytes]) -> list[bytes]:
    """The same events as a server sends them that puts spaces into its JSON."""
    return [
        one if one == DONE else b"data: " + json.dumps(json.loads(one[6:])).encode() + b"\n\n"
        for one in events
    ]


def indented(events: list[bytes]) -> list[bytes]:
    return [
        one
        if one == DONE
        else b"".join(
            b"data: %b\n" % line
            for line in json.dumps(json.loads(one[6:]), indent=2).encode().splitlines()
        )
        + b"\n"
        for one in events
    ]


def run(scanner: StreamScanner, pieces: list[bytes]) -> bytes:
    out = b""
    for piece in pieces:
        out += scanner.feed(piece)
        if scanner.done or scanner.failure:
            return out
    return out + scanner.end()


def test_a_stream_whose_usage_was_asked_for_passes_byte_for_byte() -> None:
    events = openai_stream("one", " two", " three")
    scanner = a_scanner(include_usage=True)

    out = run(scanner, events)

    assert out == b"".join(events)
    assert (scanner.usage, scanner.finish_reason, scanner.done) == (REPORTED, "stop", True)
    assert scanner.content_events == 3


def test_usage_that_was_not_asked_for_leaves_no_trace() -> None:
    scanner = a_scanner()

    out = run(scanner, openai_stream("one", " two"))

    assert out == b"".join(openai_stream("one", " two", usage=None, null_usage=False))
    assert scanner.usage == REPORTED


@given(cuts=st.lists(st.integers(0, 5000), max_size=30), include_usage=st.booleans())
def test_any_split_of_the_bytes_yields_the_same_stream(
    cuts: list[int], include_usage: bool
) -> None:
    sent = b"".join(openai_stream("one", " [DONE]", ' "usage":{}', " \n\n", ' "error" '))
    points = sorted({cut % len(sent) for cut in cuts} | {0, len(sent)})
    expected = run(whole := a_scanner(include_usage=include_usage, renames=True), [sent])
    scanner = a_scanner(include_usage=include_usage, renames=True)

    out = run(scanner, [sent[a:b] for a, b in pairwise(points)])

    assert out == expected
    assert scanner.usage == whole.usage == REPORTED
    assert scanner.content_events == whole.content_events == 5


@pytest.mark.parametrize("layout", [spaced, indented], ids=["spaced", "indented"])
def test_json_with_spaces_is_understood(layout: object) -> None:
    events = layout(openai_stream("one", " two"))  # type: ignore[operator]  # a local function
    scanner = a_scanner()

    out = run(scanner, events)

    assert scanner.usage == REPORTED
    assert scanner.finish_reason == "stop"
    assert scanner.content_events == 2
    assert out.count(b"data: [DONE]") == 1
    assert b'"prompt_tokens"' not in out


def test_the_clients_name_of_the_model_stands_in_every_chunk() -> None:
    scanner = a_scanner(renames=True)

    out = run(scanner, openai_stream("one", f" {UPSTREAM_NAME}"))

    assert out.count(f'"model":"{PUBLIC_NAME}"'.encode()) == 4
    assert f'"content":" {UPSTREAM_NAME}"'.encode() in out


def test_usage_in_the_last_content_chunk_is_taken_and_forwarded() -> None:
    last = chunk_event({"content": "two"}, finish_reason="length", usage=USAGE)
    scanner = a_scanner()

    out = run(scanner, [chunk_event({"content": "one"}), last, DONE])

    assert last in out
    assert (scanner.usage, scanner.finish_reason) == (REPORTED, "length")
    assert scanner.content_events == 2


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 1, "completion_tokens": 2},
        {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": None},
        {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "completion_tokens_details": {"reasoning_tokens": None},
        },
        {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.1, "unknown": {"x": []}},
    ],
    ids=["bare", "null details", "null member", "unknown members"],
)
def test_usage_with_missing_members_is_understood(usage: object) -> None:
    scanner = a_scanner()

    run(scanner, openai_stream("one", usage=usage))

    assert scanner.usage == Usage(prompt_tokens=1, completion_tokens=2)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 2**63, "completion_tokens": 5},
        {"prompt_tokens": 10**19, "completion_tokens": 5},
        {"prompt_tokens": "ten", "completion_tokens": 5},
        {"prompt_tokens": None, "completion_tokens": None},
    ],
    ids=["beyond bigint", "beyond 64 bits", "words", "nulls"],
)
def test_usage_that_says_nothing_is_none_and_the_rest_is_understood(usage: object) -> None:
    events = openai_stream("one", usage=None)
    scanner = a_scanner()

    out = run(scanner, [*events[:-1], chunk_event(choices=False, usage=usage), DONE])

    assert (scanner.usage, scanner.finish_reason, scanner.done) == (None, "stop", True)
    assert b"tokens" not in out


def test_reasoning_tools_and_texts_count_as_content() -> None:
    call = {"index": 0, "function": {"arguments": '{"a":'}}
    scanner = a_scanner()

    scanner.feed(chunk_event({"role": "assistant", "content": None}))
    scanner.feed(chunk_event({"reasoning_content": "hm"}))
    scanner.feed(chunk_event({"tool_calls": [call]}))
    scanner.feed(event({"choices": [{"index": 0, "text": "once", "finish_reason": None}]}))

    assert scanner.content_events == 3


def test_comments_before_the_first_event_are_withheld_and_later_ones_pass() -> None:
    scanner = a_scanner()

    blocks = [
        scanner.feed(b": PROCESSING\n\n"),
        scanner.feed(b": PROCESSING\r\n\r\n"),
        scanner.feed(chunk_event({"content": "one"})),
        scanner.feed(b": PROCESSING\n\n"),
    ]

    assert blocks == [b"", b"", chunk_event({"content": "one"}), b": PROCESSING\n\n"]


def test_windows_line_ends_pass() -> None:
    events = [one.replace(b"\n", b"\r\n") for one in openai_stream("one", null_usage=False)]
    scanner = a_scanner(include_usage=True)

    out = run(scanner, [b"".join(events)])

    assert out == b"".join(events)
    assert (scanner.usage, scanner.done) == (REPORTED, True)


def test_nothing_passes_behind_the_terminator() -> None:
    scanner = a_scanner()

    out = scanner.feed(chunk_event({"content": "one"}) + DONE + chunk_event({"content": "late"}))

    assert out == chunk_event({"content": "one"}) + DONE


@pytest.mark.parametrize("rest", [b"", b"data: [DO", chunk_event({"content": "x"})[:-2]])
def test_an_end_without_terminator_is_a_failure(rest: bytes) -> None:
    scanner = a_scanner()

    out = run(scanner, [chunk_event({"content": "one"}) + rest])

    assert out == chunk_event({"content": "one"})
    assert isinstance(scanner.failure, ProviderFailedError)
    assert "terminator" in scanner.failure.message


@pytest.mark.parametrize("rest", [b"", b"data: [DONE]", b"data: [DONE]\n"])
def test_a_finished_stream_gets_its_terminator(rest: bytes) -> None:
    finish = chunk_event({}, finish_reason="stop")
    scanner = a_scanner()

    out = run(scanner, [chunk_event({"content": "one"}), finish + rest])

    assert out.endswith(finish + DONE)
    assert scanner.failure is None


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"error": {"message": "boom", "type": "server_error", "code": None}}, ProviderFailedError),
        ({"error": {"message": "slow down", "type": "rate_limit_error"}}, ProviderRateLimitedError),
        ({"error": {"message": "full", "code": 503}}, ProviderBusyError),
        (
            {"error": {"message": "This model's maximum context length is 9 tokens.", "code": 400}},
            ContextLengthExceededError,
        ),
        ({"object": "error", "message": "boom", "type": "x", "code": 500}, ProviderFailedError),
        ({"error": "boom"}, ProviderFailedError),
    ],
    ids=["openai", "rate", "code", "context", "vllm", "text"],
)
@pytest.mark.parametrize("first", [False, True], ids=["later", "first"])
def test_an_error_event_fails_the_stream_after_what_came_before(
    said: object, error: type[StoaError], first: bool
) -> None:
    before = b"" if first else chunk_event({"content": "one"})
    scanner = a_scanner()

    out = scanner.feed(before + event(said) + DONE)

    assert out == before
    assert type(scanner.failure) is error
    assert not scanner.done


@pytest.mark.parametrize(
    "said",
    [
        b'event: error\ndata: {"message":"bad sk-secret"}\n\n',
        b"event:error\ndata: bad sk-secret\n\n",
        b'data: {"message":"bad sk-secret"}\r\nevent: error\r\n\r\n',
    ],
)
@pytest.mark.parametrize("first", [False, True], ids=["later", "first"])
def test_an_event_that_is_called_error_fails_the_stream(said: bytes, first: bool) -> None:
    before = b"" if first else chunk_event({"content": "one"})
    scanner = a_scanner()

    out = scanner.feed(before + said + DONE)

    assert out == before
    assert isinstance(scanner.failure, ProviderFailedError)
    assert "sk-secret" not in f"{scanner.failure} {scanner.failure.__notes__}"


def test_an_event_with_another_name_passes() -> None:
    named = b"event: chunk\n" + chunk_event({"content": "an event: error"})
    scanner = a_scanner()

    assert scanner.feed(named) == named
    assert scanner.failure is None
    assert scanner.content_events == 1


@pytest.mark.parametrize("data", [b"<html>", b"{", b"\xff", b"[1]"])
def test_an_event_that_is_no_json_fails_the_stream(data: bytes) -> None:
    scanner = a_scanner()

    out = scanner.feed(b"data: %b\n\n" % data)

    assert out == b""
    assert isinstance(scanner.failure, ProviderFailedError)


def test_an_object_of_another_shape_passes() -> None:
    strange = b'data: {"choices": "?", "finish_reason":"x"}\n\n'
    scanner = a_scanner()

    out = scanner.feed(strange)

    assert out == strange
    assert scanner.failure is None


def test_an_event_without_an_end_fails_the_stream() -> None:
    scanner = a_scanner()
    piece = b"x" * (MAX_EVENT_BYTES // 4)

    for _ in range(5):
        scanner.feed(piece)

    assert isinstance(scanner.failure, ProviderFailedError)
