from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.openai_compatible.sse import (
    EventSplitter,
    EventTooLargeError,
    data_of,
    events_of,
    start_of_event,
)

SEPARATORS = ("\n\n", "\r\n\r\n", "\n\r\n", "\r\n\n")
EVENTS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1).map(
            lambda text: f"data: {text}"
        )
        | st.just(": comment")
        | st.just("event: x\ndata: 1\ndata: 2"),
        st.sampled_from(SEPARATORS),
    ),
    max_size=8,
)


def split_at(data: bytes, cuts: list[int]) -> list[bytes]:
    points = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(points)]


@given(events=EVENTS, rest=st.sampled_from(["", "data: half", "data: x\n", "\r"]), cuts=st.data())
def test_any_split_of_the_bytes_yields_the_same_events(
    events: list[tuple[str, str]], rest: str, cuts: st.DataObject
) -> None:
    whole = "".join(text + end for text, end in events).encode()
    sent = whole + rest.encode()
    splitter = EventSplitter(1 << 20)

    blocks = [
        splitter.feed(piece)
        for piece in split_at(sent, cuts.draw(st.lists(st.integers(0, 10_000), max_size=40)))
    ]

    assert b"".join(blocks) == whole
    assert splitter.rest == rest.encode()
    texts = [one for block in blocks for one in events_of(block)]
    assert [data_of(one) for one in texts if one.strip()] == [
        data_of(text.encode()) for text, _ in events
    ]


def test_passes_a_complete_block_on_untouched() -> None:
    block = b"data: 1\n\ndata: 2\n\n"

    assert EventSplitter(100).feed(block) is block


def test_refuses_an_event_without_an_end() -> None:
    splitter = EventSplitter(1000)
    splitter.feed(b"data: 1\n\n" + b"x" * 900)

    with pytest.raises(EventTooLargeError):
        splitter.feed(b"x" * 101)


def test_a_block_larger_than_the_limit_passes_if_its_events_end() -> None:
    block = b"data: 12345678\n\n" * 100

    assert EventSplitter(100).feed(block + b"da") == block


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"data:  x\r\n\r\n", b" x"),
        (b"id: 1\nevent: e\ndata: a\ndata: b\n\n", b"a\nb"),
        (b": comment\n\n", b""),
        (b"retry: 3\n\n", b""),
    ],
)
def test_reads_the_data_of_an_event(event: bytes, data: bytes) -> None:
    assert data_of(event) == data


def test_finds_where_the_event_around_a_position_begins() -> None:
    block = b"data: 1\n\ndata: 2\r\n\r\ndata: 3\n\n"

    starts = [start_of_event(block, block.index(digit)) for digit in (b"1", b"2", b"3")]

    assert starts == [0, 9, 20]
