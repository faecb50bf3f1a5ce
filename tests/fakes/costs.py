from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from application.inference.call_ports import UsageRow
from application.inference.costs.ports import CostQuery, CostReader, CostSums


def a_sum(group: str, cost: int = 0, **fields: Any) -> UsageRow:
    counts = dict.fromkeys(
        (
            "calls",
            "open",
            "succeeded",
            "failed",
            "refused",
            "cancelled",
            "interrupted",
            "prompt_tokens",
            "cached_tokens",
            "completion_tokens",
            "reasoning_tokens",
            "unpriced",
        ),
        0,
    )
    defaults: dict[str, Any] = {"group": group, "label": group, "cost": Decimal(cost), **counts}
    return UsageRow(**(defaults | fields))


@dataclass(slots=True)
class FixedCostReader(CostReader):
    """Has these sums whatever is asked; ``asked`` are all questions so far."""

    periods: tuple[UsageRow, ...] = ()
    groups: tuple[UsageRow, ...] = ()
    asked: list[CostQuery] = field(default_factory=list)

    async def sums(self, query: CostQuery) -> CostSums:
        self.asked.append(query)
        total = a_sum("", sum(int(row.cost) for row in self.groups))
        return CostSums(total=total, series=self.periods, breakdown=self.groups, rest=None)

    async def series(self, query: CostQuery) -> AsyncIterator[tuple[UsageRow, ...]]:
        self.asked.append(query)
        yield self.periods

    async def breakdown(self, query: CostQuery) -> AsyncIterator[tuple[UsageRow, ...]]:
        self.asked.append(query)
        yield self.groups
