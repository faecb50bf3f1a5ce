from dataclasses import dataclass, field

from application.inference.call_ports import (
    CallFilter,
    CallReader,
    UsageGrouping,
    UsageRow,
)
from application.shared.actor import Actor
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUsageQuery:
    actor: Actor
    grouping: UsageGrouping = UsageGrouping.DAY
    where: CallFilter = field(default_factory=CallFilter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUsage:
    """Sums the team's calls, tokens and cost by day, model or key."""

    reader: CallReader

    async def __call__(self, query: ReportUsageQuery) -> tuple[UsageRow, ...]:
        query.actor.require(Permission.READ_CALLS)
        return await self.reader.usage(query.actor.team_id, query.grouping, query.where)
