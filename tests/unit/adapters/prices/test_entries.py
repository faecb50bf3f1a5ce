"""What Stoa makes of price data that is finer than what it counts."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from adapters.prices.entries import DatedEntry, Entry, UnitPrice
from domain.models.price_schedule import DatedPrices, in_force, next_change
from domain.models.prices import Prices
from domain.models.served_model import ModelKind


def a_price(
    since: date | None = None, hours: tuple[time, time] | None = None, **units: Any
) -> DatedEntry:
    return DatedEntry(
        since=since,
        hours=hours,
        units={key: UnitPrice(base=Decimal(base), tiers=()) for key, base in units.items()},
    )


def schedule(*prices: DatedEntry, kind: ModelKind = ModelKind.CHAT) -> tuple[DatedPrices, ...]:
    known = Entry(entry="a/b", context_window=None, prices=prices, variants=()).known(kind)
    return () if known is None else known.schedule


def test_the_dearer_time_of_day_holds_all_day() -> None:
    night = a_price(hours=(time(16, 30), time(0, 30)), input_mtok="0.1", output_mtok="4")

    [found] = schedule(a_price(input_mtok="0.3", output_mtok="1"), night)

    assert found.prices == Prices(input=Decimal("0.3"), output=Decimal(4))


def test_what_is_not_told_apart_costs_what_the_dearest_part_does() -> None:
    [found] = schedule(a_price(input_mtok="5", input_image_mtok="10", output_mtok="40"))

    assert found.prices == Prices(input=Decimal(10), output=Decimal(40))


def test_parts_without_a_price_are_not_free() -> None:
    [found] = schedule(a_price(input_mtok="5", cache_read_mtok="0", output_mtok="40"))

    assert found.prices.cached_input is None


@pytest.mark.parametrize(
    ("kind", "units"),
    [
        (ModelKind.CHAT, {"input_mtok": "1"}),
        (ModelKind.CHAT, {"input_mtok": "1", "output_mtok": "0"}),
        (ModelKind.CHAT, {"input_mtok": "0", "output_mtok": "1"}),
        (ModelKind.EMBEDDING, {"input_mtok": "0"}),
        (ModelKind.RERANK, {"rerank_searches_kcount": "2"}),
        (ModelKind.IMAGE, {}),
    ],
)
def test_a_model_with_half_a_price_has_none(kind: ModelKind, units: dict[str, Any]) -> None:
    assert schedule(a_price(**units), kind=kind) == ()


def test_what_is_billed_by_thousands_and_hours_is_never_less_than_asked() -> None:
    [found] = schedule(
        a_price(requests_kcount="2", audio_hours="0.04"), kind=ModelKind.TRANSCRIPTION
    )

    assert found.prices.request == Decimal("0.002")
    assert found.prices.second is not None
    assert found.prices.second * 3600 >= Decimal("0.04")


def test_what_cannot_be_expressed_is_told() -> None:
    entry = Entry(
        entry="a/b",
        context_window=None,
        prices=(a_price(input_mtok="1", output_mtok="1", web_searches_kcount="10"),),
        variants=("service_tier=priority",),
    )

    known = entry.known(ModelKind.CHAT)

    assert known is not None
    assert known.not_expressed == ("web_searches_kcount", "service_tier=priority")


def test_prices_begin_at_midnight_and_end_with_the_next() -> None:
    dated = schedule(
        a_price(input_mtok="1", output_mtok="1"),
        a_price(since=date(2026, 3, 1), input_mtok="2", output_mtok="2"),
    )

    before, at = datetime(2026, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)

    assert in_force(dated, before) == dated[0]
    assert in_force(dated, at) == dated[1]
    assert next_change(dated, before) == at
    assert next_change(dated, at) is None
