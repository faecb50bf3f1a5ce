"""What a process remembers of a team's events while somebody listens to them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from domain.operations.event import Event
from domain.shared.ids import TeamId

REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    position: int
    event: Event


class TeamEvents:
    """The latest events of a team, shared by all its listeners. It is bounded: a listener that has
    fallen behind what is remembered reads on from the database."""

    def __init__(self, team_id: TeamId, remembered: int) -> None:
        self.team_id = team_id
        self.listeners = 0
        self.opening = asyncio.Lock()
        self._remembered: deque[PlacedEvent] = deque(maxlen=remembered)
        self._position: int | None = None
        self._floor = 0
        self._changed = asyncio.Event()

    @property
    def position(self) -> int | None:
        """How far the team's events are read; ``None`` before they are for the first time."""
        return self._position

    def begin_at(self, position: int) -> None:
        self._position = self._floor = position

    def add(self, found: Sequence[PlacedEvent]) -> None:
        """Remember what follows ``position`` and wake those who wait for it."""
        for placed in found:
            if len(self._remembered) == self._remembered.maxlen:
                self._floor = self._remembered[0].position
            self._remembered.append(placed)
            self._position = placed.position
        if found:
            self._changed.set()
            self._changed = asyncio.Event()

    def after(self, position: int) -> list[PlacedEvent] | None:
        """What is remembered behind that position, or ``None`` if some of it is forgotten."""
        if position < self._floor:
            return None
        return [placed for placed in self._remembered if placed.position > position]

    @property
    def change(self) -> asyncio.Event:
        """Set when something is added after this was asked for."""
        return self._changed
