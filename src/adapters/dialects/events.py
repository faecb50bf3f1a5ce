"""Server-sent events as a reader of dialects sees them."""

from typing import Any, NamedTuple

MAX_EVENT_BYTES = 16 * 1024 * 1024


class EventTooLargeError(Exception):
    """More bytes without the end of an event than the limit allows."""


class ServerEvent(NamedTuple):
    """``name`` is empty for events that have none."""

    name: str
    data: bytes


class EventReader:
    """Takes bytes of any size apart into events; comments and empty events are left out."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._pending = b""

    @property
    def is_inside(self) -> bool:
        """Whether an event has begun that has not ended."""
        return bool(self._pending.strip())

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Raises ``EventTooLargeError``."""
        text = self._pending + data
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        *events, self._pending = text.split(b"\n\n")
        if len(self._pending) > self._limit:
            raise EventTooLargeError
        return [event for event in map(_read, events) if event.data]


def text_in(members: dict[str, Any], name: str) -> str:
    """A member that is a text, empty where it is missing. Raises ``TypeError`` for anything else,
    which would be of a wrong type all the way to the client."""
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _read(event: bytes) -> ServerEvent:
    name, data = "", []
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip().decode("utf-8", "replace")
    return ServerEvent(name, b"\n".join(data))
