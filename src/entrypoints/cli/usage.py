import click

from adapters.http.usage.schemas import UsageItem, UsageTotals, UsageView
from application.inference.ports import CallFilter, UsageGrouping
from application.inference.report_usage import ReportUsage, ReportUsageQuery
from domain.inference.call import CallStatus
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.moments import MOMENT, Moment, ago
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.cli.session import Session, run_session

COUNTS = (
    "calls",
    *CallStatus,
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cost",
    "unpriced",
)


@click.command()
@click.option(
    "--by",
    type=click.Choice([str(grouping) for grouping in UsageGrouping]),
    default=str(UsageGrouping.DAY),
    show_default=True,
    help="What to sum up by.",
)
@click.option("--since", type=MOMENT, help="Not before this: 7d, or a date.")
@click.option("--until", type=MOMENT, help="Before this: 1d, or a date.")
@click.option("--model", help="Only calls that asked for this model.")
@json_option
@click.pass_obj
def usage_command(
    invocation: Invocation,
    *,
    by: str,
    since: Moment | None,
    until: Moment | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Sum up calls, tokens and cost in US dollars.

    "unpriced" counts calls with tokens but without a price, which are not in the cost.
    """

    async def work(session: Session) -> UsageView:
        now = session.clock.now()
        where = CallFilter(since=ago(since, now), until=ago(until, now), model=model)
        grouping = UsageGrouping(by)
        report_usage = await session.get(ReportUsage)
        rows = await report_usage(
            ReportUsageQuery(actor=session.actor, grouping=grouping, where=where)
        )
        return UsageView(
            group_by=grouping,
            since=where.since,
            until=where.until,
            items=tuple(UsageItem.of_row(row) for row in rows),
            totals=UsageTotals.of(rows),
        )

    view = run_session(invocation, work)
    if as_json:
        print_json(view)
        return
    print_table(
        (by, *(name.replace("_", " ") for name in COUNTS)),
        ((item.label or item.group, *_counts(item)) for item in view.items),
        right=(name.replace("_", " ") for name in COUNTS),
        footer=("total", *_counts(view.totals)),
    )


def _counts(totals: UsageTotals) -> tuple[object, ...]:
    return tuple(getattr(totals, name) for name in COUNTS)
