"""What calls have cost, summed up by time and by what they belong to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from application.inference.call_ports import UsageRow
from domain.shared.ids import TeamId


class Period(StrEnum):
    """Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Dimension(StrEnum):
    """A call may have many tags, and counts for each."""

    TEAM = "team"
    USER = "user"
    KEY = "key"
    MODEL = "model"
    PROVIDER = "provider"
    TAG = "tag"
    ARM = "arm"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuery:
    """The calls of a team, or of all without one, from ``since`` until before ``until``. Periods
    are those of the ``time_zone``; ``limit`` is how many groups are told apart."""

    team_id: TeamId | None
    since: datetime
    until: datetime
    time_zone: str
    period: Period
    dimension: Dimension
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSums:
    """``series`` has the periods in which there were calls, in order. ``breakdown`` has the dearest
    groups first and ``rest`` what is beyond the limit; the group of calls that belong to nothing is
    empty."""

    total: UsageRow
    series: tuple[UsageRow, ...]
    breakdown: tuple[UsageRow, ...]
    rest: UsageRow | None


class CostReader(Protocol):
    async def sums(self, query: CostQuery) -> CostSums: ...

    def series(self, query: CostQuery) -> AsyncIterator[tuple[UsageRow, ...]]:
        """The periods, a piece at a time."""
        ...

    def breakdown(self, query: CostQuery) -> AsyncIterator[tuple[UsageRow, ...]]:
        """All groups whatever the limit, a piece at a time, the dearest first."""
        ...
