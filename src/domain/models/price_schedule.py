"""Prices that hold from a moment on, until others do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.models.prices import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedPrices:
    """``since`` is ``None`` for what has always held, as far as anybody knows."""

    prices: Prices
    since: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return self.since is None or self.since <= at


def in_force(schedule: Sequence[DatedPrices], at: datetime) -> DatedPrices | None:
    """The latest of them that holds at that moment; of two from one moment on the later listed."""
    latest: DatedPrices | None = None
    for one in schedule:
        if one.holds(at) and (latest is None or _start(one) >= _start(latest)):
            latest = one
    return latest


def next_change(schedule: Iterable[DatedPrices], after: datetime) -> datetime | None:
    """When the first of them comes into force that does not yet."""
    return min((one.since for one in schedule if one.since and one.since > after), default=None)


def _start(dated: DatedPrices) -> tuple[bool, float]:
    return dated.since is not None, 0.0 if dated.since is None else dated.since.timestamp()


class PriceSource(StrEnum):
    """Where a price comes from: a team set it, it stands in the configuration, the provider
    publishes it, or the model runs on the machine itself. ``unpriced`` is no price at all."""

    OVERRIDE = "override"
    CONFIGURATION = "configuration"
    BOOK = "book"
    LOCAL = "local"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceInForce:
    """``entry`` and ``not_expressed`` are what the price book calls the model and what it bills
    that Stoa does not count; ``changes_at`` is when something else comes into force."""

    source: PriceSource
    prices: Prices | None = None
    since: datetime | None = None
    changes_at: datetime | None = None
    entry: str | None = None
    not_expressed: tuple[str, ...] = ()
