"""Neighbours of the HTTP adapter whose answers follow from the order of the questions."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from application.inference.call_ports import (
    CallFilter,
    CallReader,
    UsageGrouping,
    UsageRow,
)
from application.shared.pagination import Slice
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.inference.call import Call, CallStatus
from domain.inference.errors import CallNotFoundError
from domain.shared.ids import CallId, TeamId

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class HandClock(Clock):
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class CountingIds(IdGenerator):
    last: int = 0

    def new(self) -> UUID:
        self.last += 1
        return UUID(f"01900000-0000-7000-8000-{self.last:012d}")


class CountingSecrets(SecretGenerator):
    def __init__(self) -> None:
        self.last = 0

    def token(self) -> str:
        self.last += 1
        return f"secret-{self.last:040d}"


@dataclass
class RecordingCalls(CallReader):
    """Answers from ``known`` and ``rows``, and remembers what it was asked."""

    known: list[Call] = field(default_factory=list)
    asked: list[CallFilter] = field(default_factory=list)
    rows: tuple[UsageRow, ...] = ()
    groupings: list[UsageGrouping] = field(default_factory=list)

    async def list(
        self, team_id: TeamId, where: CallFilter, *, cursor: str | None, limit: int
    ) -> Slice[Call]:
        self.asked.append(where)
        start = int(cursor or 0)
        mine = [call for call in self.known if call.team_id == team_id]
        more = str(start + limit) if start + limit < len(mine) else None
        return Slice(items=tuple(mine[start : start + limit]), next_cursor=more)

    async def get(self, team_id: TeamId, call_id: CallId) -> Call:
        for call in self.known:
            if call.team_id == team_id and call.id == call_id:
                return call
        raise CallNotFoundError

    async def usage(
        self, team_id: TeamId, grouping: UsageGrouping, where: CallFilter
    ) -> tuple[UsageRow, ...]:
        self.asked.append(where)
        self.groupings.append(grouping)
        return self.rows


def a_usage_row(group: str, cost: str, **counts: int) -> UsageRow:
    zeros: dict[str, Any] = dict.fromkeys(
        (
            "calls",
            *CallStatus,
            "prompt_tokens",
            "cached_tokens",
            "completion_tokens",
            "reasoning_tokens",
            "unpriced",
        ),
        0,
    )
    return UsageRow(group=group, label=group, cost=Decimal(cost), **(zeros | counts))


def a_call(team_id: TeamId, number: int = 1, **members: Any) -> Call:
    settled: dict[str, Any] = {
        "id": CallId(UUID(int=number)),
        "team_id": team_id,
        "key_id": None,
        "user_id": None,
        "correlation_id": "c-1",
        "endpoint": "/v1/chat/completions",
        "model": "large",
        "stream": False,
        "created_at": NOON,
    }
    return Call(**(settled | members))
