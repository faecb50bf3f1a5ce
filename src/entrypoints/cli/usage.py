import click

from adapters.http.usage.schemas import UsageItem, UsageTotals, UsageView
from application.inference.call_ports import CallFilter, UsageGrouping
from application.inference.report_usage import ReportUsage, ReportUsageQuery
from domain.inference.call import CallStatus
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.moments import MOMENT, Moment, ago
from entrypoints.cli.output import json_option, print_json, print_table, wide_option
from entrypoints.cli.session import Session, run_session

# The members of the totals by the names of their columns.
COUNTS = {
    "calls": "calls",
    **{str(status): str(status) for status in CallStatus},
    str(CallStatus.SUCCEEDED): "ok",
    "prompt_tokens": "in",
    "cached_tokens": "cached",
    "cache_write_tokens": "cache write",
    "completion_tokens": "out",
    "reasoning_tokens": "reasoning",
    "cost": "cost $",
    "saved": "saved $",
    "unpriced": "unpriced",
}
WIDE = ("open", "cancelled", "interrupted", "cached", "cache write", "reasoning", "saved $")


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
@wide_option
@json_option
@click.pass_obj
def usage_command(
    invocation: Invocation,
    *,
    by: str,
    since: Moment | None,
    until: Moment | None,
    model: str | None,
    wide: bool,
    as_json: bool,
) -> None:
    """Sum up calls, tokens and cost in US dollars.

    Tokens are counted "in" and "out". "unpriced" counts calls with tokens but without a price,
    which are not in the cost. `--wide` shows every count.
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
    else:
        _print(view, wide=wide)


def _print(view: UsageView, *, wide: bool) -> None:
    group = str(view.group_by)
    print_table(
        (group, *COUNTS.values()),
        ((item.label or item.group, *_counts(item)) for item in view.items),
        right=COUNTS.values(),
        fold=(group,),
        left_out=() if wide else WIDE,
        footer=("total", *_counts(view.totals)),
    )


def _counts(totals: UsageTotals) -> tuple[object, ...]:
    return tuple(getattr(totals, name) for name in COUNTS)
