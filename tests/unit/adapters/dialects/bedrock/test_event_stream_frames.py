import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.bedrock.frames import BrokenFrameError, Frame, FrameReader
from tests.fakes.bedrock_wire import frame, raw_frame, raw_header, text_header

_HEADERS = st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=40), max_size=4)
_FRAMES = st.lists(st.tuples(_HEADERS, st.binary(max_size=200)), min_size=1, max_size=4)


@given(frames=_FRAMES, size=st.integers(1, 300))
def test_frames_come_back_from_pieces_of_any_size(
    frames: list[tuple[dict[str, str], bytes]], size: int
) -> None:
    data = b"".join(frame(*one) for one in frames)
    reader = FrameReader()

    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    found = [one for piece in pieces for one in reader.feed(piece)]

    assert found == [Frame(headers, payload) for headers, payload in frames]
    assert not reader.is_inside


@given(frame_of=st.tuples(_HEADERS, st.binary(max_size=60)), data=st.data())
def test_no_bit_can_be_wrong(frame_of: tuple[dict[str, str], bytes], data: st.DataObject) -> None:
    sent = bytearray(frame(*frame_of))
    position = data.draw(st.integers(0, len(sent) - 1))
    sent[position] ^= 1 << data.draw(st.integers(0, 7))
    reader = FrameReader()

    with pytest.raises(BrokenFrameError):
        # A wrong size could only make it wait, were the prelude not checked by itself.
        reader.feed(bytes(sent))


@given(st.binary(max_size=300))
def test_noise_is_refused_or_waited_for(noise: bytes) -> None:
    reader = FrameReader()

    try:
        found = reader.feed(noise)
    except BrokenFrameError:
        return

    assert found == []


def test_the_published_example_of_an_empty_message_is_one() -> None:
    empty = bytes.fromhex("000000100000000005c248eb7d98c8ff")

    assert FrameReader().feed(empty) == [Frame({}, b"")]


def test_headers_of_all_types_are_passed_over() -> None:
    headers = b"".join(
        (
            raw_header("true", 0, b""),
            raw_header("false", 1, b""),
            raw_header("byte", 2, b"\x01"),
            raw_header("short", 3, b"\x00\x01"),
            raw_header("int", 4, struct.pack(">i", 1)),
            raw_header("long", 5, struct.pack(">q", 1)),
            raw_header("bytes", 6, b"\x00\x02ab"),
            raw_header("time", 8, struct.pack(">q", 1)),
            raw_header("uuid", 9, b"x" * 16),
            text_header("text", "yes"),
        )
    )

    assert FrameReader().feed(raw_frame(headers, b"{}")) == [Frame({"text": "yes"}, b"{}")]


@pytest.mark.parametrize(
    "headers",
    [
        raw_header("x", 10, b""),
        raw_header("x", 7, b"\x00\x09ab"),
        raw_header("x", 7, b"\x00"),
        raw_header("x", 7, b"\x00\x01\xff"),
        b"\x09ab",
    ],
    ids=["unknown-type", "too-short", "without-size", "no-text", "name-without-end"],
)
def test_headers_that_make_no_sense_are_refused(headers: bytes) -> None:
    with pytest.raises(BrokenFrameError):
        FrameReader().feed(raw_frame(headers, b""))


def test_a_frame_above_the_limit_is_refused_before_it_is_there() -> None:
    sent = frame({}, b"x" * 1000)

    with pytest.raises(BrokenFrameError):
        FrameReader(limit=1000).feed(sent[:12])
