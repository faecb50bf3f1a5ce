from datetime import datetime
from uuid import UUID

from application.shared.ports import IdGenerator
from tests.fakes.clock import START

_VERSION_7 = 7 << 76
_VARIANT = 0b10 << 62


def uuid7_at(moment: datetime, counter: int = 0) -> UUID:
    """The UUIDv7 of that millisecond and counter; sorts by both."""
    milliseconds = round(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | _VERSION_7 | _VARIANT | counter)


class SequentialIds(IdGenerator):
    """The UUIDv7s of one moment, counted up."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._counter = 0

    def new(self) -> UUID:
        self._counter += 1
        return uuid7_at(self._start, self._counter)
