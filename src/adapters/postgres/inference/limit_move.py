"""What a lane tells the counters of limits."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from application.inference.limits.limit_move import LimitMove
from application.inference.limits.tally import CounterKey, Tally
from domain.identity.allowance import Limits
from domain.inference.rate import Demand, Spent


class Entry(NamedTuple):
    """What ``move_limits`` does to one counter."""

    key: CounterKey
    limits: Limits
    takes: bool = False
    requests: int = 0
    tokens: int = 0
    place: UUID | None = None


class LaneItem(Protocol):
    """All entries of an item happen, or none, one after the other. Only those that take may be
    refused."""

    payload: bytes
    has_content: bool

    @property
    def is_needed(self) -> bool:
        """Whether it is to be written at all."""
        ...

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool: ...

    def hand_over(self) -> None: ...

    def entries(self) -> list[Entry]: ...

    def freed(self, *, is_retry: bool) -> Iterable[tuple[CounterKey, UUID]]:
        """The places that become free."""
        ...

    def decided(self, is_admitted: bool, states: Sequence[Spent]) -> None:
        """``states`` belong to the entries."""
        ...

    def fail(self) -> None:
        """The counters never heard of it."""
        ...


class _Written(LaneItem):
    # A lane bounds its batches by these.
    payload = b""
    has_content = False

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        return False

    def hand_over(self) -> None:
        """Nobody waits for a move to be sent."""


class LaneMove(LimitMove, _Written):
    """A demand that somebody waits for."""

    @property
    def is_needed(self) -> bool:
        # What was sent once may have happened, so it has to come to its end.
        if not (self.is_wanted or self.is_sent):
            return False
        self.is_sent = True
        return True

    def entries(self) -> list[Entry]:
        demand, takes = self.demand, self.takes
        return [
            Entry(
                key=(demand.team_id, demand.purpose, one.subject),
                limits=one.limits,
                takes=takes,
                requests=self.requests(one),
                tokens=self.tokens(one),
                place=demand.id if takes and one.limits.concurrency is not None else None,
            )
            for one in demand.limited
        ]

    def freed(self, *, is_retry: bool) -> Iterable[tuple[CounterKey, UUID]]:
        """What is repeated may have its place already, which shall not stand in its own way."""
        if not (is_retry and self.takes):
            return ()
        return _places_of(self.demand)

    def decided(self, is_admitted: bool, states: Sequence[Spent]) -> None:
        self.conclude(is_admitted, states)


class LaneTally(_Written):
    """What happened without anybody waiting."""

    def __init__(self, tally: Tally, told: Callable[[Tally], None]) -> None:
        self._tally = tally
        self._told = told

    @property
    def is_needed(self) -> bool:
        return True

    def entries(self) -> list[Entry]:
        tally = self._tally
        key, limits = tally.key, tally.limits
        entries = []
        if tally.back_requests or tally.back_tokens:
            entries.append(
                Entry(key, limits, requests=-tally.back_requests, tokens=-tally.back_tokens)
            )
        entries.append(Entry(key, limits, requests=tally.requests, tokens=tally.tokens))
        entries += [Entry(key, limits, place=place) for place in tally.places]
        return entries

    def freed(self, *, is_retry: bool) -> Iterable[tuple[CounterKey, UUID]]:
        tally = self._tally
        # The places that were taken are free in between, lest they count twice.
        return [(tally.key, place) for place in (*tally.freed, *(tally.places if is_retry else ()))]

    def decided(self, is_admitted: bool, states: Sequence[Spent]) -> None:
        self._told(self._tally)

    def fail(self) -> None:
        self._told(self._tally)


def _places_of(demand: Demand) -> list[tuple[CounterKey, UUID]]:
    return [
        ((demand.team_id, demand.purpose, one.subject), demand.id)
        for one in demand.limited
        if one.limits.concurrency is not None
    ]
