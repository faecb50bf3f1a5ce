from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from application.inference.costs.ports import Dimension, Period
from application.inference.costs.show_costs import (
    ExportCosts,
    ExportCostsQuery,
    ShowCosts,
    ShowCostsQuery,
)
from application.shared.actor import Actor
from domain.identity.permissions import Permission, Role, permissions_of
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import TEAM_ID
from tests.fakes.clock import FrozenClock
from tests.fakes.costs import FixedCostReader, a_sum

VIEWER = Actor(team_id=TEAM_ID, permissions=permissions_of(Role.VIEWER))
OPERATOR = Actor(team_id=TEAM_ID, permissions=permissions_of(Role.OWNER, is_operator=True))


def a_query(**fields: Any) -> ShowCostsQuery:
    return ShowCostsQuery(**({"actor": VIEWER} | fields))


def show(reader: FixedCostReader) -> ShowCosts:
    return ShowCosts(reader=reader, clock=FrozenClock())


async def test_it_is_the_last_month_unless_asked_otherwise() -> None:
    reader = FixedCostReader(periods=(a_sum("2026-11-20", 3),))

    costs = await show(reader)(a_query())

    [asked] = reader.asked
    assert (costs.since, costs.until) == (date(2026, 10, 23), date(2026, 11, 21))
    assert asked.until == datetime(2026, 11, 22, tzinfo=UTC)
    assert (asked.team_id, asked.period, asked.dimension) == (TEAM_ID, Period.DAY, Dimension.MODEL)
    assert len(costs.series) == 30
    assert [name for name, row in costs.series if row is not None] == ["2026-11-20"]


async def test_days_are_those_of_the_time_zone_and_included() -> None:
    reader = FixedCostReader()
    span = {"since": date(2026, 3, 29), "until": date(2026, 3, 29)}

    await show(reader)(a_query(time_zone="Europe/Berlin", **span))

    [asked] = reader.asked
    # The clocks are put forward that day, which has 23 hours.
    assert asked.since == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert asked.until == datetime(2026, 3, 29, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "names"),
    [
        (Period.WEEK, ["2025-12-29", "2026-01-05"]),
        (Period.MONTH, ["2025-12", "2026-01"]),
    ],
)
async def test_longer_periods_have_names_too(period: Period, names: list[str]) -> None:
    span = {"since": date(2025, 12, 31), "until": date(2026, 1, 5)}

    costs = await show(FixedCostReader())(a_query(group_by=period, **span))

    assert [name for name, _ in costs.series] == names
    assert costs.dimension is Dimension.MODEL


@pytest.mark.parametrize(
    ("actor", "group_by", "sees_all"),
    [
        (VIEWER, Dimension.TEAM, False),
        (OPERATOR, Dimension.TEAM, True),
        (OPERATOR, Dimension.USER, False),
        (OPERATOR, Period.DAY, False),
    ],
)
async def test_only_operators_see_all_teams_and_only_by_team(
    actor: Actor, group_by: Period | Dimension, sees_all: bool
) -> None:
    reader = FixedCostReader()

    await show(reader)(a_query(actor=actor, group_by=group_by))

    assert (reader.asked[0].team_id is None) is sees_all


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"since": date(2026, 11, 22)}, "since"),
        ({"since": date(2000, 1, 1)}, "since"),
        ({"since": date(1, 1, 1), "until": date(1, 1, 1)}, "until"),
        ({"until": date.max}, "until"),
        ({"until": date.min}, "until"),
        ({"since": date.min}, "since"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"time_zone": "posixrules"}, "time_zone"),
        ({"time_zone": "right/UTC"}, "time_zone"),
    ],
)
async def test_what_cannot_be_summed_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await show(FixedCostReader())(a_query(**fields))

    assert caught.value.param == param


async def test_who_may_not_see_calls_sees_no_costs() -> None:
    nobody = replace(VIEWER, permissions=frozenset({Permission.INVOKE_MODELS}))

    with pytest.raises(ForbiddenError):
        await show(FixedCostReader())(a_query(actor=nobody))


@pytest.mark.parametrize("of_series", [False, True])
async def test_an_export_is_the_breakdown_or_the_series(of_series: bool) -> None:
    reader = FixedCostReader(periods=(a_sum("2026-11-20"),), groups=(a_sum("large"),))
    export = ExportCosts(reader=reader, clock=FrozenClock())

    pieces = await export(ExportCostsQuery(show=a_query(), of_series=of_series))
    groups = [row.group async for piece in pieces for row in piece]

    assert groups == (["2026-11-20"] if of_series else ["large"])
