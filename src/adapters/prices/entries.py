"""What the price data says of a model, as it comes out of the process that reads it, and what Stoa
makes of it. Where the data is finer than what Stoa counts, the dearer price stands."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import ROUND_UP, Context, Decimal
from itertools import groupby
from typing import Any

from msgspec import Struct

from application.models.pricing.ports import KnownPrices
from domain.models.price_schedule import DatedPrices
from domain.models.prices import Prices, PriceTier
from domain.models.served_model import ModelKind

NOTHING = Decimal(0)
# What does not divide evenly is never less than its provider asks for.
_UP = Context(prec=28, rounding=ROUND_UP)

# Stoa's prices, each with the units that are counted as it and how many of those the data's price
# is for. Units that Stoa does not tell apart raise the price of what they are counted as.
_UNITS: dict[str, tuple[tuple[str, int], ...]] = {
    "input": (
        ("input_mtok", 1),
        ("input_text_mtok", 1),
        ("input_image_mtok", 1),
        ("input_video_mtok", 1),
        ("input_tool_mtok", 1),
    ),
    "output": (
        ("output_mtok", 1),
        ("output_text_mtok", 1),
        ("output_image_mtok", 1),
        ("output_video_mtok", 1),
        ("output_citation_mtok", 1),
    ),
    "cached_input": (
        ("cache_read_mtok", 1),
        ("cache_text_read_mtok", 1),
        ("cache_image_read_mtok", 1),
        ("cache_video_read_mtok", 1),
    ),
    "cache_write": (("cache_write_mtok", 1), ("cache_write_5m_mtok", 1)),
    "cache_write_1h": (("cache_write_1h_mtok", 1),),
    "reasoning": (("output_reasoning_mtok", 1),),
    "audio_input": (("input_audio_mtok", 1),),
    "audio_output": (("output_audio_mtok", 1),),
    "character": (("input_mchars", 1),),
    "request": (("requests_kcount", 1000),),
    "second": (("audio_hours", 3600), ("input_audio_hours", 3600)),
}
# Audio out of a cache is billed between the two prices that Stoa has for it.
_COVERED = frozenset({"cache_audio_read_mtok"})
_EXPRESSED = frozenset(key for units in _UNITS.values() for key, _ in units) | _COVERED
# Zero is as good as unknown, also where a part has no price of its own.
_OF_TOKENS = frozenset({"input", "output"})
# Whose lists say what audio costs where that is not what texts cost.
_ALIKE = ("google/",)


class UnitPrice(Struct, kw_only=True):
    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...]

    def above(self, size: int | None) -> Decimal:
        price = self.base
        for start, tier in self.tiers:
            if size is not None and start <= size:
                price = tier
        return price


class DatedEntry(Struct, kw_only=True):
    """``hours`` are the beginning and the end of the time of day that the price is for, in UTC."""

    since: date | None
    hours: tuple[time, time] | None
    units: dict[str, UnitPrice]


class Entry(Struct, kw_only=True):
    entry: str
    context_window: int | None
    prices: tuple[DatedEntry, ...]
    variants: tuple[str, ...]

    def known(self, kind: ModelKind) -> KnownPrices | None:
        """``None`` where nothing in it is a price of such a model."""
        schedule = tuple(self._schedule(kind))
        if not schedule:
            return None
        units = {key for one in self.prices for key in one.units}
        varying = ("time of day",) if any(one.hours for one in self.prices) else ()
        return KnownPrices(
            entry=self.entry,
            schedule=schedule,
            context_window=self.context_window,
            not_expressed=(*sorted(units - _EXPRESSED), *self.variants, *varying),
        )

    @property
    def _tells_audio_apart(self) -> bool:
        return not self.entry.startswith(_ALIKE)

    def _schedule(self, kind: ModelKind) -> Iterable[DatedPrices]:
        always = [one for one in self.prices if one.hours is None]
        by_hour = [one.units for one in self.prices if one.hours is not None]
        for since, same in groupby(sorted(always, key=_start), key=_start):
            # The last of one date holds, whatever the hour makes dearer.
            latest = list(same)[-1].units
            prices = _dearest([latest, *by_hour], kind)
            if prices is not None:
                prices = prices if self._tells_audio_apart else _heard_as_read(prices)
                moment = datetime.combine(since, time(), tzinfo=UTC)
                yield DatedPrices(since=None if since == date.min else moment, prices=prices)


def _start(entry: DatedEntry) -> date:
    return entry.since or date.min


def _dearest(choices: list[dict[str, UnitPrice]], kind: ModelKind) -> Prices | None:
    base = _prices(choices, None)
    if not _is_whole(base, kind):
        return None
    sizes = sorted({start for one in choices for unit in one.values() for start, _ in unit.tiers})
    tiers = (PriceTier(above=size, prices=Prices(**_prices(choices, size))) for size in sizes)
    return Prices(**base, tiers=tuple(tiers))


def _heard_as_read(prices: Prices) -> Prices:
    heard = prices.input if prices.audio_input is None else prices.audio_input
    said = prices.output if prices.audio_output is None else prices.audio_output
    tiers = (replace(one, prices=_heard_as_read(one.prices)) for one in prices.tiers)
    return replace(prices, audio_input=heard, audio_output=said, tiers=tuple(tiers))


def _prices(choices: list[dict[str, UnitPrice]], size: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, units in _UNITS.items():
        amounts = [
            _UP.divide(units_of[key].above(size), Decimal(per))
            for units_of in choices
            for key, per in units
            if key in units_of
        ]
        dearest = max(amounts, default=NOTHING)
        if dearest > 0 or name in _OF_TOKENS:
            found[name] = dearest
    return found


def _is_whole(prices: Mapping[str, Decimal], kind: ModelKind) -> bool:
    if kind is ModelKind.CHAT:
        return prices["input"] > 0 and prices["output"] > 0
    if kind is ModelKind.EMBEDDING:
        return prices["input"] > 0
    return any(price > 0 for price in prices.values())
