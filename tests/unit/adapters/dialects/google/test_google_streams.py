from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.google.dialect import GoogleDialect
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.parts import Image, Inline, Text, Thinking, ToolCall
from domain.inference.conversation.request import Role
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage
from tests.fakes.conversations import Assembled, a_chat_model, asking, assembled, said
from tests.fakes.gemini_wire import USAGE, answer_of, candidate, error_of, event, stream_of
from tests.fakes.wire_failures import WireFailures


def read(*events: bytes, size: int | None = None) -> Assembled:
    """``size`` is that of the pieces that the bytes arrive in."""
    reader = GoogleDialect(WireFailures()).stream_reader()
    data = b"".join(events)
    pieces = [data[i : i + size] for i in range(0, len(data), size)] if size else list(events)
    seen = [one for piece in pieces for one in reader.feed(piece)]
    return assembled([*seen, *reader.end()])


def test_words_are_one_part_and_the_end_has_the_usage() -> None:
    answer = read(*stream_of("one", " two", " three"))

    assert (answer.id, answer.model) == ("r-1", "gemini-2.5-flash")
    assert answer.parts == {0: [Text(text="one two three")]}
    assert answer.stops == {0: StopReason.END}
    assert answer.usage == Usage(prompt_tokens=12, completion_tokens=3)


def test_thoughts_text_calls_and_pictures_follow_each_other() -> None:
    call = {"functionCall": {"id": "c1", "name": "now", "args": {"a": 1}}}
    picture = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}

    answer = read(
        event(answer_of(candidate({"text": "h", "thought": True}))),
        event(answer_of(candidate({"text": "m", "thought": True}, {"text": "I "}))),
        event(answer_of(candidate({"text": "look."}, picture))),
        event(answer_of(candidate({**call, "thoughtSignature": "c2ln"}, call))),
        event(answer_of(candidate({"text": "", "thoughtSignature": "Zg=="}, finish="STOP"))),
    )

    signed = ToolCall(id="c1", name="now", arguments='{"a":1}', opaque="c2ln", opaque_of="google")
    assert answer.parts[0] == [
        Thinking(text="hm"),
        Text(text="I look."),
        Image(source=Inline(media_type="image/png", data="aGk=")),
        signed,
        ToolCall(id="c1", name="now", arguments='{"a":1}'),
        Thinking(opaque="Zg==", opaque_of="google"),
    ]
    assert answer.stops == {0: StopReason.TOOL_CALLS}


def test_candidates_overlap() -> None:
    answer = read(
        event(answer_of(candidate({"text": "a"}), candidate({"text": "x"}, index=1))),
        event(answer_of(candidate({"text": "y"}, index=1, finish="MAX_TOKENS"))),
        event(answer_of(candidate({"text": "b"}, finish="STOP"))),
    )

    assert answer.parts == {0: [Text(text="ab")], 1: [Text(text="xy")]}
    assert answer.stops == {0: StopReason.END, 1: StopReason.LENGTH}


def test_a_refused_prompt_ends_filtered() -> None:
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": USAGE}

    answer = read(event(msgspec.json.encode(body)))

    assert answer.stops == {0: StopReason.FILTERED}


def test_logprobs_go_with_the_text() -> None:
    result = {"chosenCandidates": [{"token": "a", "logProbability": -0.5}]}

    answer = read(event(answer_of(candidate({"text": "a"}, finish="STOP", logprobsResult=result))))

    assert len(answer.logprobs) == 1


def test_calls_without_ids_get_the_same_as_in_a_whole_answer() -> None:
    call = {"functionCall": {"name": "now"}}
    whole = GoogleDialect(WireFailures()).read_answer(
        answer_of(candidate(call, call, finish="STOP"))
    )

    answer = read(
        event(answer_of(candidate(call))), event(answer_of(candidate(call, finish="STOP")))
    )

    assert tuple(answer.parts[0]) == whole.choices[0].parts


@pytest.mark.parametrize(
    "events",
    [
        [],
        stream_of("one", "two")[:-1],
        [*stream_of("one"), b"data: {"],
        [event(b"<html>")],
        [event(error_of(503, "UNAVAILABLE"))],
        [event(answer_of(candidate(finish="MALFORMED_FUNCTION_CALL")))],
        [event(answer_of(candidate({"functionCall": {}})))],
        [*stream_of("one"), *stream_of("two")],
    ],
    ids=[
        "empty",
        "cut",
        "half",
        "no-json",
        "error",
        "malformed-call",
        "unreadable-part",
        "two-ends",
    ],
)
def test_a_stream_that_is_no_whole_answer_fails(events: list[bytes]) -> None:
    with pytest.raises(ProviderFailedError):
        read(*events)


_PARTS = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(min_size=1, max_size=8)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text(min_size=1, max_size=8)),
    st.builds(
        lambda name, args: {"functionCall": {"name": name, "args": args}},
        st.sampled_from(["now", "weather"]),
        st.dictionaries(st.text(max_size=4), st.integers(0, 9), max_size=2),
    ),
)


@given(
    chunks=st.lists(st.lists(_PARTS, max_size=3), min_size=1, max_size=5),
    size=st.integers(1, 400),
)
def test_a_stream_says_what_the_whole_answer_says(
    chunks: list[list[dict[str, Any]]], size: int
) -> None:
    *first, last = chunks
    body = answer_of(candidate(*(part for chunk in chunks for part in chunk), finish="STOP"))
    whole = GoogleDialect(WireFailures()).read_answer(body)

    answer = read(
        *(event(answer_of(candidate(*chunk), usage=None)) for chunk in first),
        event(answer_of(candidate(*last, finish="STOP"))),
        size=size,
    )

    assert tuple(answer.parts.get(0, ())) == whole.choices[0].parts
    assert answer.stops == {0: whole.choices[0].stop}
    assert answer.usage == whole.usage


@pytest.mark.parametrize("thoughts", [[], [{"text": "hm", "thought": True}]])
def test_the_signature_of_a_call_can_be_a_thought_and_goes_back_with_the_call(
    thoughts: list[dict[str, Any]],
) -> None:
    dialect = GoogleDialect(WireFailures(), signs_apart=True)
    call = {"functionCall": {"id": "c1", "name": "now", "args": {}}}
    parts = ({**call, "thoughtSignature": "c2ln"}, call)
    body = answer_of(candidate(*thoughts, *parts, finish="STOP"))
    reader = dialect.stream_reader()

    whole = dialect.read_answer(body).choices[0].parts
    stream = assembled([*reader.feed(event(body)), *reader.end()]).parts[0]
    back = dialect.write_request(
        asking(said(Role.ASSISTANT, *whole)), a_chat_model("gemini-3-flash")
    )

    made = ToolCall(id="c1", name="now", arguments="{}")
    text = "".join(thought["text"] for thought in thoughts)
    assert whole == (Thinking(text=text, opaque="c2ln", opaque_of="google"), made, made)
    assert tuple(stream) == whole
    assert msgspec.json.decode(back)["contents"][0]["parts"] == [*thoughts, *parts]


def test_the_signature_of_a_picture_goes_back_with_it() -> None:
    dialect = GoogleDialect(WireFailures())
    picture = {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thoughtSignature": "c2ln"}

    whole = dialect.read_answer(answer_of(candidate(picture, finish="STOP"))).choices[0].parts
    back = dialect.write_request(
        asking(said(Role.ASSISTANT, *whole)), a_chat_model("gemini-3-pro-image")
    )

    assert msgspec.json.decode(back)["contents"][0]["parts"] == [picture]
