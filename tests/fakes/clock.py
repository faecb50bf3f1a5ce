from datetime import UTC, datetime, timedelta

from application.shared.ports import Clock

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class FrozenClock(Clock):
    """Stands still until it is told to go on."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
