"""How long a recording is, as far as its first bytes (or its last) tell."""

import struct
from decimal import Decimal

# What is assumed of a format that does not say: 128 kbit/s, as of most compressed speech.
_ASSUMED_BYTES_PER_SECOND = 16_000
_MP3_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_KBITS_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_OPUS_RATE = 48_000
_TENTH = Decimal("0.1")

Bytes = bytes | memoryview


def seconds_of(audio: Bytes) -> Decimal:
    """Exact for WAV, FLAC, Ogg and MP4; estimated from the bit rate for MP3, and from the size for
    all others. Never fails: what is broken is estimated too."""
    try:
        seconds = _measured(audio)
    except (struct.error, IndexError, ValueError, ZeroDivisionError):
        seconds = None
    if seconds is None or not 0 < seconds < len(audio):
        seconds = len(audio) / _ASSUMED_BYTES_PER_SECOND
    return Decimal(seconds).quantize(_TENTH)


def _measured(audio: Bytes) -> float | None:
    start = bytes(audio[:12])
    if start.startswith(b"RIFF") and start[8:12] == b"WAVE":
        return _wav(audio)
    if start.startswith(b"fLaC"):
        return _flac(audio)
    if start.startswith(b"OggS"):
        return _ogg(audio)
    if start[4:8] == b"ftyp":
        return _mp4(audio)
    return _mp3(audio)


def _wav(audio: Bytes) -> float | None:
    """Its chunks: the rate of ``fmt`` and the size of ``data``, which a stream does not know."""
    position, bytes_per_second = 12, 0
    while position + 8 <= len(audio):
        name = bytes(audio[position : position + 4])
        size = struct.unpack_from("<I", audio, position + 4)[0]
        if name == b"fmt ":
            bytes_per_second = struct.unpack_from("<I", audio, position + 16)[0]
        if name == b"data":
            return float(min(size, len(audio) - position - 8) / bytes_per_second)
        position += 8 + size + size % 2
    return None


def _flac(audio: Bytes) -> float | None:
    packed = int.from_bytes(audio[18:26], "big")
    return (packed & (1 << 36) - 1) / (packed >> 44)


def _ogg(audio: Bytes) -> float | None:
    """The position of the last page over the rate of the first."""
    last = bytes(audio[-65_536:])
    position = int(struct.unpack_from("<q", last, last.rindex(b"OggS") + 6)[0])
    first = bytes(audio[:128])
    if b"OpusHead" in first:
        return position / _OPUS_RATE
    return float(position / struct.unpack_from("<I", first, first.index(b"\x01vorbis") + 12)[0])


def _mp4(audio: Bytes) -> float | None:
    """The ``mvhd`` atom, which may stand at either end."""
    for where in (bytes(audio[:65_536]), bytes(audio[-262_144:])):
        found = where.find(b"mvhd")
        if found >= 0:
            layout, skip = (">IQ", 24) if where[found + 4] == 1 else (">II", 16)
            scale, length = struct.unpack_from(layout, where, found + skip)
            return float(length / scale)
    return None


def _mp3(audio: Bytes) -> float | None:
    """From the bit rate of the first frame, behind an ID3 tag."""
    position = 0
    if bytes(audio[:3]) == b"ID3":
        size = bytes(audio[6:10])
        position = 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    head = bytes(audio[position : position + 4])
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004
        return None
    rates = _MP3_KBITS if head[1] & 0x18 == 0x18 else _MP3_KBITS_LOW  # noqa: PLR2004
    return (len(audio) - position) * 8 / (rates[head[2] >> 4] * 1000)
