from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from adapters.http.costs.schemas import CostsView, PredictionView, members_of
from adapters.http.parameters import invalid
from adapters.http.spreadsheet import csv_lines
from adapters.http.usage.schemas import COUNTS
from application.inference.call_ports import UsageRow
from application.inference.costs.ports import Dimension, Period
from application.inference.costs.predict_cost import PredictCost, PredictCostQuery
from application.inference.costs.show_costs import (
    DEFAULT_GROUPS,
    MAX_GROUPS,
    ExportCosts,
    ExportCostsQuery,
    ShowCosts,
    ShowCostsQuery,
)
from application.shared.actor import Actor

DayParameter = Annotated[
    str | None,
    QueryParameter(
        description="A day of the time zone, such as 2026-11-21; it is included.",
        schema_extra={"format": "date"},
        required=False,
    ),
]
GroupParameter = Annotated[
    str, QueryParameter(schema_extra={"enum": [*Period, *Dimension]}, required=False)
]
GroupsParameter = Annotated[
    int, QueryParameter(schema_extra={"minimum": 1, "maximum": MAX_GROUPS}, required=False)
]


class CostPart(StrEnum):
    BREAKDOWN = "breakdown"
    SERIES = "series"


class CostsController(Controller):
    path = "/costs"
    tags = ("inference",)

    @get("/predict", operation_id="predict_cost", summary="Predict the cost of a call")
    async def predict_cost(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[PredictCost],
        model: FromQuery[str],
        input_tokens: FromQuery[int | None] = None,
        input_characters: FromQuery[int | None] = None,
        seconds: FromQuery[Decimal] = Decimal(0),
        max_output_tokens: FromQuery[int | None] = None,
        n: FromQuery[int] = 1,
    ) -> PredictionView:
        """Says what a call would cost, for each deployment that may answer it, in the order in
        which they are tried: `model` is what a call would name. Nothing is called."""
        query = PredictCostQuery(
            actor=actor,
            model=model,
            input_tokens=input_tokens,
            input_characters=input_characters,
            seconds=seconds,
            max_output_tokens=max_output_tokens,
            n=n,
        )
        return PredictionView.of(await use_case(query))

    @get("/dashboard", operation_id="show_costs", summary="Sum up what calls have cost")
    async def show_costs(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ShowCosts],
        since: DayParameter = None,
        until: DayParameter = None,
        group_by: GroupParameter = str(Period.DAY),
        time_zone: FromQuery[str] = "UTC",
        limit: GroupsParameter = DEFAULT_GROUPS,
    ) -> CostsView:
        """Sums up what the team's calls have cost, in a series of periods and in a breakdown. A
        `group_by` of time says how long a period is and leaves the breakdown by model; any other
        says what to break down by, of which the dearest are told apart, and leaves the series by
        day. Operators of the server see all teams by `team`."""
        query = _query(actor, (since, until), group_by, time_zone, limit)
        return CostsView.of(await use_case(query), time_zone)

    @get(
        "/dashboard/export",
        operation_id="export_costs",
        summary="Export what calls have cost",
        responses={
            200: ResponseSpec(
                str,
                media_type="text/csv",
                description="The file, as CSV.",
                generate_examples=False,
            )
        },
    )
    async def export_costs(
        self,
        *,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ExportCosts],
        part: FromQuery[CostPart] = CostPart.BREAKDOWN,
        since: DayParameter = None,
        until: DayParameter = None,
        group_by: GroupParameter = str(Period.DAY),
        time_zone: FromQuery[str] = "UTC",
    ) -> Stream:
        """Streams the breakdown with all groups, or the periods in which there were calls, as CSV.
        Cells that a spreadsheet would take for a formula begin with an apostrophe."""
        query = _query(actor, (since, until), group_by, time_zone, DEFAULT_GROUPS)
        pieces = await use_case(ExportCostsQuery(show=query, of_series=part is CostPart.SERIES))
        name = f'attachment; filename="costs_{part}.csv"'
        return Stream(
            costs_as_csv(pieces), media_type="text/csv", headers={"content-disposition": name}
        )


COLUMNS = ("group", "label", "cost", "saved", "average_cost", "error_rate", *COUNTS, "seconds")


async def costs_as_csv(pieces: AsyncIterator[tuple[UsageRow, ...]]) -> AsyncIterator[bytes]:
    """The file, piece by piece."""
    yield csv_lines([COLUMNS])
    async for rows in pieces:
        yield csv_lines(_cells(row) for row in rows)


def _cells(row: UsageRow) -> list[object]:
    members = {"group": row.group, "label": row.label, **members_of(row)}
    return [members[name] for name in COLUMNS]


def _query(
    actor: Actor,
    span: tuple[str | None, str | None],
    group_by: str,
    time_zone: str,
    limit: int,
) -> ShowCostsQuery:
    if not 1 <= limit <= MAX_GROUPS:
        raise invalid("limit", f"must be between 1 and {MAX_GROUPS}")
    return ShowCostsQuery(
        actor=actor,
        since=_day("since", span[0]),
        until=_day("until", span[1]),
        group_by=_grouping(group_by),
        time_zone=time_zone,
        limit=limit,
    )


def _grouping(text: str) -> Period | Dimension:
    known: dict[str, Period | Dimension] = {str(one): one for one in (*Period, *Dimension)}
    if text not in known:
        raise invalid("group_by", f"is one of {', '.join(known)}")
    return known[text]


def _day(name: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise invalid(name, "is not a day such as 2026-11-21") from None
