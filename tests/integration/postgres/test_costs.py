"""What costs sum up to, in every grouping, against sums made by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine
from adapters.postgres.inference.cost_reader import PostgresCostReader
from adapters.postgres.inference.ledger import PostgresLedger
from adapters.postgres.inference.process_presence import ProcessPresence
from application.inference.call_ports import UsageRow
from application.inference.costs.ports import CostQuery, Dimension, Period
from domain.inference.call import Call, CallStatus
from domain.models.prices import Prices
from domain.shared.errors import UnavailableError
from domain.shared.usage import Usage
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_call
from tests.fixtures.patience import PATIENCE_S

DOLLAR = Prices(input=Decimal(1_000_000), output=Decimal(0))
BERLIN = "Europe/Berlin"
IDLE = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)


@pytest.fixture
async def engine(team_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(team_url)
    yield engine
    await engine.dispose()


async def record(url: str, *calls: Call) -> None:
    presence = ProcessPresence(url)
    ledger = PostgresLedger(url, process=presence.process)
    await presence.start()
    await ledger.start()
    for call in calls:
        await ledger.record(call)
    await ledger.stop()
    await presence.stop()


def a_cost(dollars: int, at: datetime, **fields: Any) -> Call:
    status = fields.pop("status", CallStatus.SUCCEEDED)
    call = a_call(**({"price": DOLLAR, "created_at": at} | fields))
    call.settle(status, at=at, latency_ms=1.0, usage=Usage(prompt_tokens=dollars))
    return call


def a_query(**fields: Any) -> CostQuery:
    zone = ZoneInfo(fields.get("time_zone", "UTC"))
    defaults: dict[str, Any] = {
        "team_id": TEAM_ID,
        "since": datetime(2026, 11, 1, tzinfo=zone),
        "until": datetime(2026, 12, 1, tzinfo=zone),
        "time_zone": "UTC",
        "period": Period.DAY,
        "dimension": Dimension.MODEL,
        "limit": 10,
    }
    return CostQuery(**(defaults | fields))


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


async def test_sums_stand_in_total_by_period_and_by_group(
    team_url: str, engine: AsyncEngine
) -> None:
    await record(
        team_url,
        a_cost(1, at(2), model="small"),
        a_cost(2, at(2), model="large"),
        a_cost(3, at(9), model="large", status=CallStatus.FAILED),
        a_cost(4, at(9), model="unpriced", price=None),
        a_cost(100, at(9), team_id=OTHER_TEAM_ID),
        a_cost(100, datetime(2026, 12, 1, tzinfo=UTC)),
    )

    found = await PostgresCostReader(engine).sums(a_query())

    total = found.total
    assert (total.calls, total.failed, total.cost) == (4, 1, Decimal(6))
    assert (total.priced, total.unpriced, total.prompt_tokens) == (3, 1, 10)
    assert [(row.group, row.calls, row.cost) for row in found.series] == [
        ("2026-11-02", 2, Decimal(3)),
        ("2026-11-09", 2, Decimal(3)),
    ]
    assert [(row.group, row.calls, row.cost) for row in found.breakdown] == [
        ("large", 2, Decimal(5)),
        ("small", 1, Decimal(1)),
        ("unpriced", 1, Decimal(0)),
    ]
    assert found.rest is None


async def test_what_is_beyond_the_limit_is_summed_up(team_url: str, engine: AsyncEngine) -> None:
    await record(team_url, *(a_cost(n, at(n), model=f"m{n}") for n in range(1, 6)))

    found = await PostgresCostReader(engine).sums(a_query(limit=2))

    assert [row.group for row in found.breakdown] == ["m5", "m4"]
    assert found.rest is not None
    assert (found.rest.calls, found.rest.cost) == (3, Decimal(6))


async def test_a_call_counts_for_each_of_its_tags_and_once_in_total(
    team_url: str, engine: AsyncEngine
) -> None:
    await record(
        team_url,
        a_cost(1, at(1), tags=("night", "eu")),
        a_cost(2, at(1), tags=("eu",)),
        a_cost(4, at(1)),
    )

    found = await PostgresCostReader(engine).sums(a_query(dimension=Dimension.TAG))

    assert (found.total.calls, found.total.cost) == (3, Decimal(7))
    assert [(row.group, row.calls, row.cost) for row in found.breakdown] == [
        ("", 1, Decimal(4)),
        ("eu", 2, Decimal(3)),
        ("night", 1, Decimal(1)),
    ]


@pytest.mark.parametrize(
    ("period", "zone", "expected"),
    [
        (Period.DAY, "UTC", {"2026-11-01": 1, "2026-11-02": 2}),
        (Period.DAY, BERLIN, {"2026-11-02": 3}),
        (Period.WEEK, "UTC", {"2026-10-26": 1, "2026-11-02": 2}),
        (Period.WEEK, BERLIN, {"2026-11-02": 3}),
        (Period.MONTH, "America/New_York", {"2026-11": 3}),
    ],
)
async def test_periods_are_those_of_the_time_zone(
    team_url: str, engine: AsyncEngine, period: Period, zone: str, expected: dict[str, int]
) -> None:
    night = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    await record(team_url, a_cost(1, night), a_cost(2, at(2)))

    found = await PostgresCostReader(engine).sums(a_query(period=period, time_zone=zone))

    assert {row.group: row.cost for row in found.series} == expected


async def test_groups_have_the_names_that_people_gave_them(
    team_url: str, engine: AsyncEngine
) -> None:
    await record(team_url, a_cost(1, at(1)), a_cost(2, at(1), team_id=OTHER_TEAM_ID, key_id=None))
    reader = PostgresCostReader(engine)

    by_team = await reader.sums(a_query(team_id=None, dimension=Dimension.TEAM))
    by_key = await reader.sums(a_query(team_id=OTHER_TEAM_ID, dimension=Dimension.KEY))

    assert {row.group: row.label for row in by_team.breakdown} == {
        str(TEAM_ID): "Acme",
        str(OTHER_TEAM_ID): "Acme",
    }
    assert by_team.total.cost == 3
    assert [(row.group, row.label) for row in by_key.breakdown] == [("", "")]


@pytest.mark.parametrize("dimension", Dimension)
async def test_every_grouping_sums_up_to_the_total(
    team_url: str, engine: AsyncEngine, dimension: Dimension
) -> None:
    calls = [a_cost(n, at(n), arm="b" if n % 2 else None, tags=(f"t{n}",)) for n in range(1, 8)]
    await record(team_url, *calls)
    query, reader = a_query(dimension=dimension), PostgresCostReader(engine)

    found = await reader.sums(query)
    pieces = [row async for piece in reader.breakdown(query) for row in piece]
    periods = [row async for piece in reader.series(query) for row in piece]

    assert found.total.cost == sum(range(1, 8))
    assert sum(row.cost for row in found.breakdown) == found.total.cost
    assert tuple(pieces) == found.breakdown
    assert tuple(periods) == found.series


async def test_a_team_without_calls_has_cost_nothing(engine: AsyncEngine) -> None:
    found = await PostgresCostReader(engine).sums(a_query())

    assert (found.total.calls, found.total.cost) == (0, Decimal(0))
    assert (found.series, found.breakdown, found.rest) == ((), (), None)


async def test_an_export_that_nobody_reads_gives_its_connection_back(
    team_url: str, engine: AsyncEngine, sql: asyncpg.Connection
) -> None:
    tags = tuple(f"t-{number}" for number in range(5000))
    await record(team_url, a_cost(1, at(2), tags=tags))
    reader = PostgresCostReader(engine, patience_s=0.2)
    pieces, first = await _begun(reader)

    async with asyncio.timeout(PATIENCE_S):
        while await sql.fetchval(IDLE):
            await asyncio.sleep(0.05)
    with pytest.raises(UnavailableError):
        [piece async for piece in pieces]

    assert len(first) > 0
    assert (await reader.sums(a_query())).total.calls == 1


Piece = tuple[UsageRow, ...]


async def _begun(reader: PostgresCostReader) -> tuple[AsyncIterator[Piece], Piece]:
    """An export and its first piece; where this process stands still, even that comes too late."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            pieces = reader.breakdown(a_query(dimension=Dimension.TAG))
            with suppress(UnavailableError):
                return pieces, await anext(pieces)
