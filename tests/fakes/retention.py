from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from application.operations.ports import OldRecords, Operators
from domain.operations.retention import RecordKind, Removed
from domain.shared.ids import TeamId


@dataclass(slots=True)
class InMemoryOldRecords(OldRecords):
    """Records are their times. ``is_busy`` is somebody else at it."""

    times: dict[RecordKind, list[datetime]] = field(default_factory=dict)
    is_busy: bool = False
    asked: dict[RecordKind, datetime] = field(default_factory=dict)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        was_busy, self.is_busy = self.is_busy, True
        yield not was_busy
        self.is_busy = was_busy

    async def remove(self, kind: RecordKind, before: datetime, *, dry_run: bool) -> Removed:
        self.asked[kind] = before
        times = self.times.get(kind, [])
        kept = [at for at in times if at >= before]
        if not dry_run:
            self.times[kind] = kept
        return Removed(records=len(times) - len(kept))


@dataclass(slots=True)
class FixedOperators(Operators):
    of_teams: Sequence[TeamId] = ()

    async def teams(self) -> Sequence[TeamId]:
        return self.of_teams
