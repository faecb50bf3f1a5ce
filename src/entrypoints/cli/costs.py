from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import click

from adapters.http.costs.controller import costs_as_csv
from adapters.http.costs.schemas import CostsView, CostTotals, PredictionView
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
from entrypoints.cli.acting import actor_in, team_option
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import Command, json_option, print_json, print_table
from entrypoints.cli.session import Session, run_session

GROUPINGS: dict[str, Period | Dimension] = {str(one): one for one in (*Period, *Dimension)}
SUMS = ("calls", "failed", "unpriced", "cost $", "saved $", "average $")
DAY = click.DateTime(formats=["%Y-%m-%d"])


class SecondsType(click.ParamType[Decimal]):
    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            return Decimal(str(value))
        except InvalidOperation:
            self.fail(f"'{value}' is not a number.", param, ctx)


@click.group()
def costs_command() -> None:
    """See what calls have cost, and what one would."""


def _span(command: Command) -> Command:
    options: tuple[Callable[[Command], Command], ...] = (
        click.option("--since", type=DAY, help="The first day, which is included."),
        click.option("--until", type=DAY, help="The last day, which is included."),
        click.option(
            "--by",
            type=click.Choice(list(GROUPINGS)),
            default=str(Period.DAY),
            show_default=True,
            help="What to sum up by.",
        ),
        click.option(
            "--time-zone", default="UTC", show_default=True, help="Whose days, as in Europe/Berlin."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@costs_command.command("dashboard")
@_span
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_GROUPS),
    default=DEFAULT_GROUPS,
    show_default=True,
    help="How many groups to tell apart.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: every group, or every period.")
@team_option
@json_option
@click.pass_obj
def show_dashboard(
    invocation: Invocation,
    /,
    *,
    since: datetime | None,
    until: datetime | None,
    by: str,
    time_zone: str,
    limit: int,
    as_csv: bool,
    team: str | None,
    as_json: bool,
) -> None:
    """Sum up what calls have cost, in US dollars.

    Without days it is the last month. "unpriced" calls used something and have no price; they are
    not in the cost. `--by team` shows all teams.
    """

    async def work(session: Session) -> CostsView | None:
        query = ShowCostsQuery(
            actor=await actor_in(session, team),
            since=_day(since),
            until=_day(until),
            group_by=GROUPINGS[by],
            time_zone=time_zone,
            limit=limit,
        )
        if as_csv:
            await _print_csv(session, query)
            return None
        return CostsView.of(await (await session.get(ShowCosts))(query), time_zone)

    view = run_session(invocation, work)
    if view is None:
        return
    if as_json:
        print_json(view)
    else:
        _print(view, by)


@costs_command.command("predict")
@click.argument("model")
@click.option("--input-tokens", type=int, help="How long the prompt is, in tokens.")
@click.option("--input-characters", type=int, help="How long the prompt is, in characters.")
@click.option("--seconds", type=SecondsType(), default="0", help="How long the audio is.")
@click.option("--max-output-tokens", type=int, help="How long an answer may be.")
@click.option("-n", "n", type=int, default=1, show_default=True, help="How many answers.")
@team_option
@json_option
@click.pass_obj
def predict(
    invocation: Invocation,
    /,
    model: str,
    *,
    input_tokens: int | None,
    input_characters: int | None,
    seconds: Decimal,
    max_output_tokens: int | None,
    n: int,
    team: str | None,
    as_json: bool,
) -> None:
    """Say what a call of MODEL would cost, in US dollars, for each deployment that may answer.

    The "worst" is the most that it can cost; a budget, which knows bytes and no tokens, may set
    aside more. Nothing is called.
    """

    async def work(session: Session) -> PredictionView:
        query = PredictCostQuery(
            actor=await actor_in(session, team),
            model=model,
            input_tokens=input_tokens,
            input_characters=input_characters,
            seconds=seconds,
            max_output_tokens=max_output_tokens,
            n=n,
        )
        return PredictionView.of(await (await session.get(PredictCost))(query))

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
    else:
        _print_prediction(view)


def _print_prediction(view: PredictionView) -> None:
    print_table(
        ("model", "deployment", "low $", "expected $", "worst $"),
        (
            (
                one.model,
                one.deployment,
                *(["unpriced"] * 3 if one.unpriced else (one.low, one.expected, one.worst)),
            )
            for one in view.deployments
        ),
        right=("low $", "expected $", "worst $"),
        fold=("model", "deployment"),
    )


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


async def _print_csv(session: Session, query: ShowCostsQuery) -> None:
    export = await session.get(ExportCosts)
    of_series = isinstance(query.group_by, Period)
    pieces = await export(ExportCostsQuery(show=query, of_series=of_series))
    async for piece in costs_as_csv(pieces):
        click.echo(piece, nl=False)


def _print(view: CostsView, by: str) -> None:
    """What was asked for: the periods with calls, or the groups."""
    if isinstance(GROUPINGS[by], Period):
        rows = [(point.period, *_sums(point)) for point in view.series if point.calls]
        columns: tuple[str, ...] = (by, *SUMS)
    else:
        rows = [(group.label or "-", *_sums(group), group.percentage) for group in view.breakdown]
        columns = (by, *SUMS, "%")
    footer = (*("total", *_sums(view.summary)), "")[: len(columns)]
    print_table(columns, rows, right=columns[1:], fold=(by,), footer=footer)


def _sums(sums: CostTotals) -> tuple[object, ...]:
    return sums.calls, sums.failed, sums.unpriced, sums.cost, sums.saved, sums.average_cost
