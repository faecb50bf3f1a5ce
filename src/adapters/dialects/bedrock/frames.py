"""Amazon's binary event streams (``application/vnd.amazon.eventstream``)."""

import struct
from dataclasses import dataclass
from zlib import crc32

MAX_FRAME_BYTES = 16 * 1024 * 1024
_MAX_HEADER_BYTES = 128 * 1024
_PRELUDE = struct.Struct(">II")
_CHECKSUM = struct.Struct(">I")
_HEAD = _PRELUDE.size + _CHECKSUM.size
_FRAMING = _HEAD + _CHECKSUM.size
# The sizes of the types of headers that have one; the two others say theirs before them.
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _TEXT = 6, 7


class BrokenFrameError(Exception):
    """Bytes that are no frame, or not the one that was sent."""


@dataclass(frozen=True, slots=True)
class Frame:
    """``headers`` are those that are texts."""

    headers: dict[str, str]
    payload: bytes


class FrameReader:
    """Takes bytes of any size apart into frames, whose checksums are all verified."""

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._pending = bytearray()

    @property
    def is_inside(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return bool(self._pending)

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ``BrokenFrameError``."""
        self._pending += data
        frames: list[Frame] = []
        while (frame := self._take()) is not None:
            frames.append(frame)
        return frames

    def _take(self) -> Frame | None:
        pending = self._pending
        if len(pending) < _HEAD:
            return None
        size, header_size = _PRELUDE.unpack_from(pending)
        self._check(crc32(pending[: _PRELUDE.size]), _PRELUDE.size)
        if not _FRAMING + header_size <= size <= self._limit or header_size > _MAX_HEADER_BYTES:
            raise BrokenFrameError("Its sizes make no sense.")
        if len(pending) < size:
            return None
        end = size - _CHECKSUM.size
        self._check(crc32(pending[:end]), end)
        headers = _headers(bytes(pending[_HEAD : _HEAD + header_size]))
        payload = bytes(pending[_HEAD + header_size : end])
        del pending[:size]
        return Frame(headers, payload)

    def _check(self, checksum: int, offset: int) -> None:
        if _CHECKSUM.unpack_from(self._pending, offset)[0] != checksum:
            raise BrokenFrameError("Its checksum is wrong.")


def _headers(data: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    position = 0
    try:
        while position < len(data):
            name_end = position + 1 + data[position]
            name, kind = data[position + 1 : name_end], data[name_end]
            start, end = _extent(data, name_end + 1, kind)
            if end > len(data):
                raise BrokenFrameError("A header has no end.")
            if kind == _TEXT:
                headers[name.decode()] = data[start:end].decode()
            position = end
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BrokenFrameError("Its headers cannot be read.") from error
    return headers


def _extent(data: bytes, start: int, kind: int) -> tuple[int, int]:
    if kind in (_BYTES, _TEXT):
        (size,) = struct.unpack_from(">H", data, start)
        return start + 2, start + 2 + size
    if kind not in _SIZES:
        raise BrokenFrameError("A header has an unknown type.")
    return start, start + _SIZES[kind]
