import json
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.local.chat_answer import merge
from adapters.providers.local.tool_reader import ToolReader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.text(max_size=6), JSON, max_size=4)


def read(written: str, cuts: list[int]) -> tuple[dict[str, Any], ToolReader]:
    """The message made of a text that comes in pieces."""
    numbers = count()
    reader = ToolReader(lambda: f"call_{next(numbers)}")
    message: dict[str, Any] = {"content": None}
    places = [0, *sorted(cut % (len(written) + 1) for cut in cuts), len(written)]
    for begin, end in pairwise(places):
        for delta in reader.feed(written[begin:end]):
            merge(message, delta)
    return message, reader


@given(st.text(min_size=1), st.booleans(), st.lists(st.integers(0, 500), max_size=8))
def test_reads_an_answer_in_words(text: str, ascii_only: bool, cuts: list[int]) -> None:
    written = json.dumps({"reply": text}, ensure_ascii=ascii_only)

    message, reader = read(written, cuts)

    assert message == {"content": text}
    assert not reader.called


@given(st.text(), ARGUMENTS, st.sampled_from([None, 2]), st.lists(st.integers(0, 500), max_size=8))
def test_reads_a_call(
    name: str, arguments: dict[str, Any], indent: int | None, cuts: list[int]
) -> None:
    written = json.dumps({"name": name, "arguments": arguments}, indent=indent)

    message, reader = read(written, cuts)

    call = message["tool_calls"][0]
    assert (call["id"], call["type"]) == ("call_0", "function")
    assert call["function"]["name"] == name
    assert json.loads(call["function"]["arguments"]) == arguments
    assert message["content"] is None
    assert reader.called


@given(st.lists(ARGUMENTS, min_size=1, max_size=3), st.lists(st.integers(0, 500), max_size=8))
def test_reads_several_calls(many: list[dict[str, Any]], cuts: list[int]) -> None:
    calls = [{"name": f"f{index}", "arguments": one} for index, one in enumerate(many)]

    message, _ = read(json.dumps({"tool_calls": calls}), cuts)

    read_back = [
        {
            "name": call["function"]["name"],
            "arguments": json.loads(call["function"]["arguments"]),
        }
        for call in message["tool_calls"]
    ]
    assert read_back == calls
    assert [call["id"] for call in message["tool_calls"]] == [
        f"call_{index}" for index in range(len(calls))
    ]


@given(JSON, st.lists(st.integers(0, 500), max_size=8))
def test_reads_an_answer_of_any_shape(value: Any, cuts: list[int]) -> None:
    message, _ = read(json.dumps({"reply": value}), cuts)

    content = message["content"] or ""
    assert (content if isinstance(value, str) else json.loads(content)) == value


def test_hands_on_arguments_while_they_are_written() -> None:
    reader = ToolReader(lambda: "call_0")

    started = reader.feed('{"name": "f", "arguments": {"a"')
    more = reader.feed(": 1")

    assert [part["function"] for delta in started for part in delta["tool_calls"]] == [
        {"name": "f", "arguments": ""},
        {"arguments": '{"a"'},
    ]
    assert more == [{"tool_calls": [{"index": 0, "function": {"arguments": ": 1"}}]}]


@pytest.mark.parametrize(
    ("written", "text"),
    [('"\\ud83d x"', "\ufffd x"), ('"\\ud83d\\ude00"', "😀"), ('"\\\\"', "\\"), ('"\t"', "\t")],
    ids=["half a pair", "a pair", "backslash", "bare tab"],
)
def test_resolves_escapes(written: str, text: str) -> None:
    message, _ = read(f'{{"reply": {written}}}', list(range(30)))

    assert message["content"] == text
