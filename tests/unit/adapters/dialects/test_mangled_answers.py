"""Whatever Google and Amazon answer, it is an answer or a failure of theirs."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.bedrock.dialect import BedrockDialect
from adapters.dialects.dialect import UpstreamDialect
from adapters.dialects.google.dialect import GoogleDialect
from domain.shared.errors import UpstreamError
from tests.fakes import bedrock_wire, gemini_wire
from tests.fakes.conversations import assembled
from tests.fakes.wire_failures import WireFailures

GOOGLE = GoogleDialect(WireFailures())
BEDROCK = BedrockDialect(WireFailures())
GEMINI_ANSWER = msgspec.json.decode(
    gemini_wire.answer_of(
        gemini_wire.candidate(
            {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
            {"text": "I look."},
            {"functionCall": {"name": "now", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
            finish="STOP",
            logprobsResult={"chosenCandidates": [{"token": "I", "logProbability": -1}]},
        )
    )
)
CONVERSE_ANSWER = msgspec.json.decode(
    bedrock_wire.converse_answer(
        {"text": "I look."},
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"toolUse": {"toolUseId": "c1", "name": "now", "input": {"a": 1}}},
        {"image": {"format": "png", "source": {"bytes": "aGk="}}},
        stop="tool_use",
    )
)
CONVERSE_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "hi"}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    (
        "contentBlockStart",
        {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "c1", "name": "now"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"reasoningContent": {"text": "h"}}}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": bedrock_wire.USAGE}),
]
ANYTHING = st.sampled_from(
    [None, True, -1, 2**60, 0.5, "", "x", "\ud800", [], [None], {}, {"text": None}]
)


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    members: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        members += value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        for path in paths(member):
            yield name, *path


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


def written(value: Any) -> bytes:
    """With a lone surrogate as an escape, as a careless server writes it."""
    marked = msgspec.json.encode(_marked(value))
    return marked.replace(b"LONE", b"\\ud800")


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _marked(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_marked(member) for member in value]
    return "LONE" if value == "\ud800" else value


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [(GOOGLE, GEMINI_ANSWER), (BEDROCK, CONVERSE_ANSWER)],
    ids=["google", "bedrock"],
)
@given(data=st.data())
def test_a_mangled_answer(dialect: UpstreamDialect, answer: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(paths(answer))))
    body = written(replaced(answer, path, data.draw(ANYTHING)))

    with suppress(UpstreamError):
        assert dialect.read_answer(body).choices


def _converse_stream(data: st.DataObject) -> bytes:
    place = data.draw(st.integers(0, len(CONVERSE_EVENTS) - 1))
    frames = []
    for index, (kind, members) in enumerate(CONVERSE_EVENTS):
        body = written(members)
        if index == place:
            path = data.draw(st.sampled_from(list(paths(members))))
            body = written(replaced(members, path, data.draw(ANYTHING)))
        frames.append(bedrock_wire.frame({":event-type": kind, ":message-type": "event"}, body))
    return b"".join(frames)


@given(data=st.data())
def test_a_mangled_stream_of_google(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(paths(GEMINI_ANSWER))))
    mangled = gemini_wire.event(written(replaced(GEMINI_ANSWER, path, data.draw(ANYTHING))))
    whole = gemini_wire.stream_of("one", "two")
    sent = data.draw(st.permutations([mangled, *whole]).map(b"".join))
    reader = GOOGLE.stream_reader()

    with suppress(UpstreamError):
        assembled([*reader.feed(sent), *reader.feed(b""), *reader.end()])


@given(data=st.data())
def test_a_mangled_stream_of_amazon(data: st.DataObject) -> None:
    sent = _converse_stream(data)
    reader = BEDROCK.stream_reader()

    with suppress(UpstreamError):
        assembled([*reader.feed(sent), *reader.feed(b""), *reader.end()])
