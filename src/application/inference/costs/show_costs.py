from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from application.inference.call_ports import UsageRow
from application.inference.costs.ports import CostQuery, CostReader, CostSums, Dimension, Period
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.permissions import Permission
from domain.shared.errors import FieldError, InvalidError

DEFAULT_DAYS = 30
MAX_DAYS = 3660
DEFAULT_GROUPS = 100
MAX_GROUPS = 1000
# Names of files beside those of the time zones: they mean something else on every machine.
_NO_ZONES = frozenset({"localtime", "posix", "posixrules", "right"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCostsQuery:
    """``since`` and ``until`` are days of the time zone, both included; without them it is the last
    month. A ``group_by`` of time leaves the breakdown by model, any other the series by day."""

    actor: Actor
    since: date | None = None
    until: date | None = None
    group_by: Period | Dimension = Period.DAY
    time_zone: str = "UTC"
    limit: int = DEFAULT_GROUPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """``series`` has every period of the span, with ``None`` where there were no calls."""

    since: date
    until: date
    period: Period
    dimension: Dimension
    sums: CostSums
    series: tuple[tuple[str, UsageRow | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPlan:
    """What a question comes down to."""

    since: date
    until: date
    query: CostQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCosts:
    """Sums up what the team's calls have cost, by time and by what they belong to. Operators of the
    server see all teams when they group by team."""

    reader: CostReader
    clock: Clock

    async def __call__(self, query: ShowCostsQuery) -> Costs:
        plan = planned(query, self.clock.now())
        sums = await self.reader.sums(plan.query)
        found = {row.group: row for row in sums.series}
        names = period_names(plan.since, plan.until, plan.query.period)
        return Costs(
            since=plan.since,
            until=plan.until,
            period=plan.query.period,
            dimension=plan.query.dimension,
            sums=sums,
            series=tuple((name, found.get(name)) for name in names),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCostsQuery:
    """The breakdown of what ``show`` asks for, or its series."""

    show: ShowCostsQuery
    of_series: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCosts:
    """The breakdown, or the series of periods, whole and a piece at a time."""

    reader: CostReader
    clock: Clock

    async def __call__(self, query: ExportCostsQuery) -> AsyncIterator[tuple[UsageRow, ...]]:
        plan = planned(query.show, self.clock.now())
        read = self.reader.series if query.of_series else self.reader.breakdown
        return read(plan.query)


def planned(query: ShowCostsQuery, now: datetime) -> CostPlan:
    """Raises ``ForbiddenError`` and ``InvalidError``."""
    actor, group_by = query.actor, query.group_by
    actor.require(Permission.READ_CALLS)
    zone = _zone(query.time_zone)
    until = _told("until", query.until or now.astimezone(zone).date())
    since = _told("since", query.since or until - timedelta(days=DEFAULT_DAYS - 1))
    if not 0 <= (until - since).days < MAX_DAYS:
        raise _invalid("since", f"must be before 'until', by at most {MAX_DAYS} days")
    sees_all = group_by is Dimension.TEAM and actor.may(Permission.MANAGE_SERVER)
    found = CostQuery(
        team_id=None if sees_all else actor.team_id,
        since=datetime.combine(since, time(), tzinfo=zone),
        until=datetime.combine(until + timedelta(days=1), time(), tzinfo=zone),
        time_zone=query.time_zone,
        period=group_by if isinstance(group_by, Period) else Period.DAY,
        dimension=group_by if isinstance(group_by, Dimension) else Dimension.MODEL,
        limit=query.limit,
    )
    return CostPlan(since=since, until=until, query=found)


def period_names(since: date, until: date, period: Period) -> list[str]:
    """The periods that the days belong to, in order, by their first days."""
    days = (since + timedelta(days=n) for n in range((until - since).days + 1))
    return list(dict.fromkeys(_name(day, period) for day in days))


def _name(day: date, period: Period) -> str:
    if period is Period.MONTH:
        return f"{day:%Y-%m}"
    first = day - timedelta(days=day.weekday()) if period is Period.WEEK else day
    return first.isoformat()


def _told(name: str, day: date) -> date:
    if not 1970 < day.year < 9999:  # noqa: PLR2004 - what every time zone can tell
        raise _invalid(name, "must be between the years 1971 and 9998")
    return day


def _zone(name: str) -> ZoneInfo:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = None
    if zone is None or name.partition("/")[0] in _NO_ZONES:
        raise _invalid("time_zone", "is not a time zone such as Europe/Berlin")
    return zone


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f"'{name}' {message}.", param=name, errors=(FieldError(name, message),))
