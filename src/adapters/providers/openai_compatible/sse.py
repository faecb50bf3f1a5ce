"""Server-sent events as bytes: where they end and what they carry."""

from collections.abc import Iterator

_SEPARATORS = (b"\n\n", b"\n\r\n")
_OVERLAP = 3  # "\n\r\n" may begin in bytes that were already looked at


class EventTooLargeError(Exception):
    """More bytes without the end of an event than the limit allows."""


class EventSplitter:
    """Gathers reads of any size into blocks of complete events."""

    __slots__ = ("_limit", "_pending")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pending = bytearray()

    @property
    def rest(self) -> bytes:
        """What came after the last complete event."""
        return bytes(self._pending)

    def feed(self, data: bytes) -> bytes:
        """All events that are complete now, possibly none. Raises ``EventTooLargeError``."""
        pending = self._pending
        if not pending:
            if data.endswith(b"\n\n"):
                return data
            end = _last_end(data, 0)
            block = data[:end]
            pending += data[end:]
        else:
            start = max(0, len(pending) - _OVERLAP)
            pending += data
            end = _last_end(pending, start)
            block = bytes(pending[:end])
            del pending[:end]
        if len(pending) > self._limit:
            raise EventTooLargeError
        return block


def events_of(block: bytes) -> Iterator[bytes]:
    """The events of a block of complete ones, each with the blank line that ends it."""
    separators = _SEPARATORS if b"\r" in block else _SEPARATORS[:1]
    start = 0
    while start < len(block):
        end = len(block)
        for separator in separators:
            found = block.find(separator, start, end)
            if found >= 0:
                end = found + len(separator)
        yield block[start:end]
        start = end


def data_of(event: bytes) -> bytes:
    """The payload of an event; empty for comments and events without any."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return event[6:-2]
    lines = [
        line[5:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"data:")
    ]
    return b"\n".join(lines)


def name_of(event: bytes) -> bytes:
    """The type that an ``event`` field gives it; empty for the usual events, which have none."""
    if b"event:" not in event:
        return b""
    names = [line[6:].strip() for line in event.splitlines() if line.startswith(b"event:")]
    return names[-1] if names else b""


def start_of_event(block: bytes, position: int) -> int:
    """Where the event around ``position`` begins."""
    return _last_end(block, 0, position)


def _last_end(data: bytes | bytearray, start: int, stop: int | None = None) -> int:
    plain = data.rfind(b"\n\n", start, stop)
    crlf = data.rfind(b"\n\r\n", start, stop)
    if crlf > plain:
        return crlf + 3
    return plain + 2 if plain >= 0 else 0
