from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Self

from msgspec import Struct

from adapters.http.calls.schemas import money
from adapters.http.usage.schemas import AMOUNTS, COUNTS, UsageTotals
from application.inference.call_ports import UsageRow
from application.inference.costs.ports import Dimension, Period
from application.inference.costs.predict_cost import CostPrediction
from application.inference.costs.show_costs import Costs
from domain.inference.shares import percentages

USD = "USD"
_RATE = Decimal("0.0001")


class CostTotals(UsageTotals, kw_only=True):
    """`average_cost` is that of the calls that have a cost, null where none has; `error_rate` is
    the part of the calls that failed."""

    average_cost: str | None
    error_rate: str | None

    @classmethod
    def of_row(cls, row: UsageRow) -> Self:
        return cls(**members_of(row))


class CostPoint(CostTotals, kw_only=True):
    """The calls of a period, which is named by its first day, or by its month."""

    period: str


class CostGroup(CostTotals, kw_only=True):
    """The calls of a group: the id of a team, a user or a key, or the name of anything else; empty
    for calls that belong to none. `percentage` is its part of the cost of all groups, null where
    nothing has cost anything; all of them sum up to 100. The last one may be the `rest`, which has
    no `group`."""

    group: str | None
    label: str
    percentage: str | None


class CostsView(Struct, kw_only=True):
    """What calls have cost from `since` to `until`, both included. A call with several tags counts
    in the breakdown for each of them, in the summary once. Calls that are `unpriced` used something
    and have no price; they are not in the cost."""

    currency: str
    since: date
    until: date
    time_zone: str
    summary: CostTotals
    series_by: Period
    series: tuple[CostPoint, ...]
    breakdown_by: Dimension
    breakdown: tuple[CostGroup, ...]

    @classmethod
    def of(cls, costs: Costs, time_zone: str) -> Self:
        return cls(
            currency=USD,
            since=costs.since,
            until=costs.until,
            time_zone=time_zone,
            summary=CostTotals.of_row(costs.sums.total),
            series_by=costs.period,
            series=tuple(
                CostPoint(period=name, **members_of(row or NO_CALLS)) for name, row in costs.series
            ),
            breakdown_by=costs.dimension,
            breakdown=tuple(_groups(costs.sums.breakdown, costs.sums.rest)),
        )


class DeploymentCostView(Struct, kw_only=True):
    """What a deployment would take for the call; null is what nobody knows: a model without a
    price, or speech and pictures that are billed by tokens. `low` is for a prompt out of the
    provider's cache and an answer of one token, `worst` is the most that it can cost; a
    budget, which knows bytes and no tokens, may set aside more."""

    model: str
    deployment: str
    unpriced: bool
    low: str | None
    expected: str | None
    worst: str | None

    @classmethod
    def of(cls, prediction: CostPrediction) -> Self:
        model = prediction.model
        return cls(
            model=model.name,
            deployment=model.deployment,
            unpriced=model.prices is None,
            low=_money(prediction.low),
            expected=_money(prediction.expected),
            worst=_money(prediction.worst),
        )


class PredictionView(Struct, kw_only=True):
    """The deployments that may answer, in the order in which they are tried."""

    currency: str
    deployments: tuple[DeploymentCostView, ...]

    @classmethod
    def of(cls, predictions: Sequence[CostPrediction]) -> Self:
        return cls(currency=USD, deployments=tuple(map(DeploymentCostView.of, predictions)))


def members_of(row: UsageRow) -> dict[str, Any]:
    """The sums of a row, and what follows from them."""
    sums = {name: getattr(row, name) for name in COUNTS}
    amounts = {name: money(getattr(row, name)) for name in AMOUNTS}
    average = row.cost / row.priced if row.priced else None
    rate = (Decimal(row.failed) / row.calls).quantize(_RATE) if row.calls else None
    return sums | amounts | {"average_cost": _money(average), "error_rate": _money(rate)}


def _groups(rows: Sequence[UsageRow], rest: UsageRow | None) -> list[CostGroup]:
    everything = [*rows, *([] if rest is None else [rest])]
    found = percentages([row.cost for row in everything])
    shares: Sequence[Decimal | None] = found or [None] * len(everything)
    return [
        CostGroup(
            group=None if row is rest else row.group,
            label="rest" if row is rest else row.label,
            percentage=_money(share),
            **members_of(row),
        )
        for row, share in zip(everything, shares, strict=True)
    ]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else money(amount)


_NOTHING: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), **dict.fromkeys(AMOUNTS, Decimal(0))}
NO_CALLS = UsageRow(group="", label="", **_NOTHING)
