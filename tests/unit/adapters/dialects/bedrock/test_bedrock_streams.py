from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.bedrock.dialect import BedrockDialect
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import Delta, StreamEvent
from domain.inference.conversation.parts import Image, Inline, Text, Thinking, ToolCall
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage
from tests.fakes.bedrock_wire import (
    converse_answer,
    event,
    exception,
    frame,
    stream_of,
    text_delta,
)
from tests.fakes.conversations import Assembled, assembled
from tests.fakes.wire_failures import WireFailures


def read(
    events: Sequence[bytes], *, size: int | None = None, failures: WireFailures | None = None
) -> Assembled:
    """``size`` is that of the pieces that the bytes arrive in."""
    reader = BedrockDialect(failures or WireFailures(), "anthropic").stream_reader()
    data = b"".join(events)
    pieces = [data[i : i + size] for i in range(0, len(data), size)] if size else list(events)
    seen = [one for piece in pieces for one in reader.feed(piece)]
    return assembled([*seen, *reader.end()])


def delta(index: int, **members: Any) -> bytes:
    return event("contentBlockDelta", delta=members, contentBlockIndex=index)


def stop(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index)


def call(index: int, name: str) -> bytes:
    start = {"toolUse": {"toolUseId": f"c{index}", "name": name}}
    return event("contentBlockStart", start=start, contentBlockIndex=index)


def test_words_are_one_part_and_the_end_has_the_usage() -> None:
    answer = read(stream_of("one", " two", " three"))

    assert answer.parts == {0: [Text(text="one two three")]}
    assert answer.stops == {0: StopReason.END}
    assert answer.usage == Usage(prompt_tokens=12, completion_tokens=3)


def test_thoughts_text_and_calls_follow_each_other() -> None:
    answer = read(
        [
            event("messageStart", role="assistant"),
            delta(0, reasoningContent={"text": "h"}),
            delta(0, reasoningContent={"text": "m"}),
            delta(0, reasoningContent={"signature": "si"}),
            delta(0, reasoningContent={"signature": "g"}),
            stop(0),
            delta(1, reasoningContent={"redactedContent": "c2VjcmV0"}),
            stop(1),
            delta(2, text="I look."),
            stop(2),
            call(3, "weather"),
            delta(3, toolUse={"input": '{"city"'}),
            delta(3, toolUse={"input": ': "Bern"}'}),
            stop(3),
            call(4, "now"),
            stop(4),
            event("messageStop", stopReason="tool_use"),
            event("metadata", usage={"inputTokens": 1, "outputTokens": 2}),
        ]
    )

    assert answer.parts[0] == [
        Thinking(text="hm", opaque="sig", opaque_of="anthropic"),
        Thinking(opaque="c2VjcmV0", opaque_of="anthropic", is_redacted=True),
        Text(text="I look."),
        ToolCall(id="c3", name="weather", arguments='{"city": "Bern"}'),
        ToolCall(id="c4", name="now", arguments="{}"),
    ]
    assert answer.stops == {0: StopReason.TOOL_CALLS}


def test_a_picture_in_pieces_is_one() -> None:
    start = {"image": {"format": "png"}}
    pieces = [delta(0, image={"source": {"bytes": piece}}) for piece in ("aGk=", "IQ==")]

    answer = read(
        [
            event("contentBlockStart", start=start, contentBlockIndex=0),
            *pieces,
            stop(0),
            event("messageStop", stopReason="end_turn"),
        ]
    )

    assert answer.parts == {0: [Image(source=Inline(media_type="image/png", data="aGkh"))]}


def test_blocks_that_nobody_ended_end_with_the_message() -> None:
    answer = read(
        [
            text_delta("hi"),
            event(
                "messageStop",
                stopReason="stop_sequence",
                additionalModelResponseFields={"stop_sequence": "END"},
            ),
        ]
    )

    assert answer.parts == {0: [Text(text="hi")]}
    assert answer.stop_sequences == {0: "END"}
    assert answer.usage is None


def test_events_that_nobody_knows_are_passed_over() -> None:
    answer = read([event("somethingNew", x=1), delta(7, citation={}), *stream_of("one")])

    assert answer.parts == {0: [Text(text="one")]}


@pytest.mark.parametrize(
    "events",
    [
        [],
        stream_of("one", "two")[:-2],
        [*stream_of("one"), event("metadata")[:20]],
        [b"x" * 40],
        [event("messageStop")],
        [frame({":event-type": "contentBlockDelta"}, b"{")],
        [delta(0, image={"source": {"bytes": "?"}})],
        [event("messageStop", stopReason="malformed_tool_use")],
        [*stream_of("one"), *stream_of("two")],
    ],
    ids=[
        "empty",
        "cut",
        "half",
        "noise",
        "no-reason",
        "no-json",
        "no-picture",
        "malformed",
        "two-ends",
    ],
)
def test_a_stream_that_is_no_whole_answer_fails(events: Sequence[bytes]) -> None:
    with pytest.raises(ProviderFailedError):
        read(events)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (exception("throttlingException", "slow"), "throttlingException"),
        (
            frame(
                {
                    ":message-type": "error",
                    ":error-code": "InternalError",
                    ":error-message": "slow",
                },
                b"",
            ),
            "InternalError",
        ),
    ],
    ids=["exception", "error"],
)
def test_an_exception_in_a_stream_is_the_failure_that_it_names(sent: bytes, kind: str) -> None:
    failures = WireFailures()

    with pytest.raises(ProviderFailedError):
        read([sent], failures=failures)

    assert msgspec.json.decode(failures.bodies[0]) == {"message": "slow", "__type": kind}


def test_what_came_before_an_exception_is_told_first() -> None:
    reader = BedrockDialect(WireFailures()).stream_reader()
    seen: list[StreamEvent] = []

    seen += reader.feed(text_delta("one") + exception("throttlingException"))
    with pytest.raises(ProviderFailedError):
        reader.feed(b"")

    assert [one.text for one in seen if isinstance(one, Delta)] == ["one"]


@given(words=st.lists(st.text(min_size=1, max_size=8), min_size=1), size=st.integers(1, 400))
def test_a_stream_says_what_the_whole_answer_says(words: list[str], size: int) -> None:
    whole = BedrockDialect(WireFailures()).read_answer(converse_answer({"text": "".join(words)}))

    answer = read(stream_of(*words), size=size)

    assert tuple(answer.parts[0]) == whole.choices[0].parts
    assert answer.stops == {0: whole.choices[0].stop}
    assert answer.usage == whole.usage
