from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from adapters.http.parameters import SinceParameter, UntilParameter, parse_time
from adapters.http.usage.schemas import UsageItem, UsageTotals, UsageView
from application.inference.call_ports import CallFilter, UsageGrouping
from application.inference.report_usage import ReportUsage, ReportUsageQuery
from application.shared.actor import Actor


class UsageController(Controller):
    path = "/usage"
    tags = ("inference",)

    @get(operation_id="report_usage", summary="Sum up usage and cost")
    async def report_usage(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ReportUsage],
        group_by: FromQuery[UsageGrouping] = UsageGrouping.DAY,
        since: SinceParameter = None,
        until: UntilParameter = None,
    ) -> UsageView:
        """Sums the team's calls, tokens and cost by day, model or key."""
        where = CallFilter(since=parse_time("since", since), until=parse_time("until", until))
        rows = await use_case(ReportUsageQuery(actor=actor, grouping=group_by, where=where))
        return UsageView(
            group_by=group_by,
            since=where.since,
            until=where.until,
            items=tuple(UsageItem.of_row(row) for row in rows),
            totals=UsageTotals.of(rows),
        )
