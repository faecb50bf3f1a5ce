import io
import struct
import wave
from decimal import Decimal

import pytest

from adapters.dialects.audio_length import seconds_of


def wav(seconds: float, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(bytes(int(seconds * rate) * 2))
    return file.getvalue()


def flac(seconds: int, rate: int = 44_100) -> bytes:
    packed = rate << 44 | 1 << 41 | 15 << 36 | seconds * rate
    return b"fLaC\x00\x00\x00\x22" + bytes(10) + packed.to_bytes(8, "big") + bytes(16 + 4000)


def ogg(first: bytes, position: int) -> bytes:
    page = b"OggS\x00\x02" + bytes(8) + bytes(14) + first + bytes(4000)
    return page + b"OggS\x00\x04" + struct.pack("<q", position) + bytes(100)


OPUS = b"OpusHead\x01\x01" + bytes(9)
VORBIS = b"\x01vorbis" + struct.pack("<IBI", 0, 1, 22_050) + bytes(14)


def mp4(version: int) -> bytes:
    times = struct.pack(">IIII", 0, 0, 600, 600 * 9)
    if version == 1:
        times = struct.pack(">QQIQ", 0, 0, 600, 600 * 9)
    return b"\x00\x00\x00\x18ftypM4A " + bytes(70_000) + b"mvhd" + bytes([version, 0, 0, 0]) + times


def mp3(seconds: int, *, tag: bytes = b"") -> bytes:
    return tag + b"\xff\xfb\x90\x00" + bytes(seconds * 16_000 - 4)


ID3 = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)


@pytest.mark.parametrize(
    ("audio", "seconds"),
    [
        (wav(2.5), "2.5"),
        (wav(1, rate=48_000), "1.0"),
        (flac(7), "7.0"),
        (ogg(OPUS, 48_000 * 3), "3.0"),
        (ogg(VORBIS, 22_050 * 4), "4.0"),
        (mp4(0), "9.0"),
        (mp4(1), "9.0"),
        (mp3(12), "12.0"),
        (mp3(12, tag=ID3), "12.0"),
    ],
    ids=["wav", "wav48", "flac", "opus", "vorbis", "mp4", "mp4v1", "mp3", "mp3id3"],
)
def test_the_length_is_what_the_recording_says(audio: bytes, seconds: str) -> None:
    assert seconds_of(audio) == Decimal(seconds)
    assert seconds_of(memoryview(audio)) == Decimal(seconds)


@pytest.mark.parametrize(
    "audio",
    [
        b"\x1a\x45\xdf\xa3" + bytes(31_996),
        wav(1)[:12] + bytes(31_988),
        b"fLaC" + bytes(31_996),
        b"OggS" + bytes(31_996),
        mp4(0)[:16] + bytes(31_984),
        b"\xff\xfb\xf0\x00" + bytes(31_996),
        b"\xff\xfb\x00\x00" + bytes(31_996),
    ],
    ids=["webm", "wav", "flac", "ogg", "mp4", "mp3-rate-15", "mp3-rate-0"],
)
def test_what_does_not_tell_its_length_is_estimated_by_its_size(audio: bytes) -> None:
    assert seconds_of(audio) == Decimal("2.0")


def test_a_recording_that_promises_more_than_there_is_is_not_believed() -> None:
    assert seconds_of(wav(2)[:44] + bytes(8000)) == Decimal("0.5")


def test_nothing_lasts_no_time() -> None:
    assert seconds_of(b"") == 0
