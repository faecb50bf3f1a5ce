"""Sums over the ledger in one pass: by period and group first, and what is shown is summed up from
that, which is little."""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    collate,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.selectable import FromClause, Subquery

from adapters.postgres.identity.rows import ApiKeyRow, TeamRow, UserRow
from adapters.postgres.inference.rows import calls
from adapters.postgres.inference.usage_query import sums_but_by_status
from application.inference.costs.ports import CostQuery, Dimension, Period
from domain.inference.call import CallStatus

TOTAL, SERIES, BREAKDOWN, REST = "total", "series", "breakdown", "rest"

_FORMATS = {Period.DAY: "YYYY-MM-DD", Period.WEEK: "YYYY-MM-DD", Period.MONTH: "YYYY-MM"}
_EVERY = tuple(column.name for column in sums_but_by_status())
SUMS = (*map(str, CallStatus), *_EVERY)

_UNTAGGED = array([""])

_GROUPS: dict[Dimension, ColumnElement[Any]] = {
    Dimension.TEAM: calls.c.team_id,
    Dimension.USER: calls.c.user_id,
    Dimension.KEY: calls.c.key_id,
    Dimension.MODEL: calls.c.model,
    Dimension.PROVIDER: calls.c.provider,
    Dimension.TAG: calls.c.tags,
    Dimension.ARM: calls.c.arm,
}


def all_sums(query: CostQuery, where: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    """Rows of ``part``, ``group``, ``label`` and sums."""
    pass_ = _pass(query, where)
    total = select(
        literal(TOTAL).label("part"), cast(literal(""), Text).label("group"), *_again(pass_)
    )
    series = select(literal(SERIES).label("part"), pass_.c.period.label("group"), *_again(pass_))
    ranked = _ranked(pass_, query)
    is_shown = ranked.c.place <= query.limit
    part = case((is_shown, BREAKDOWN), else_=REST).label("part")
    group = case((is_shown, ranked.c.group)).label("group")
    breakdown = select(part, group, *_again(ranked)).group_by(part, group)
    together = union_all(total, series.group_by(pass_.c.period), breakdown).subquery("together")
    return _labelled(together, query, together.c.part == BREAKDOWN).order_by(
        together.c.part,
        case((together.c.part == SERIES, together.c.group)),
        *_dearest_first(together),
    )


def series(query: CostQuery, where: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    pass_ = _pass(query, where)
    group = pass_.c.period.label("group")
    found = select(group, pass_.c.period.label("label"), *_again(pass_))
    return found.group_by(pass_.c.period).order_by(group)


def breakdown(query: CostQuery, where: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    found = _ranked(_pass(query, where), query)
    return _labelled(found, query, literal(value=True)).order_by(found.c.place)


def _pass(query: CostQuery, where: tuple[ColumnElement[bool], ...]) -> CTE:
    """The only look at the calls: what can be done for a group is not done for each of them."""
    local = func.timezone(query.time_zone, calls.c.created_at)
    period = func.date_trunc(query.period.value, local).label("period")
    group = _GROUPS[query.dimension].label("group")
    status = calls.c.status.label("status")
    pass_ = select(period, group, status, *sums_but_by_status()).where(*where)
    every = pass_.group_by(period, group, status).cte("every_call")
    name = every.c.group if query.dimension is Dimension.TAG else cast(every.c.group, Text)
    when = func.to_char(every.c.period, _FORMATS[query.period])
    by_status = (
        func.coalesce(func.sum(every.c.calls).filter(every.c.status == str(status)), 0)
        for status in CallStatus
    )
    return (
        select(
            when.label("period"),
            name.label("group"),
            *(of.label(str(status)) for status, of in zip(CallStatus, by_status, strict=True)),
            *(func.sum(every.c[one]).label(one) for one in _EVERY),
        )
        .group_by(every.c.period, every.c.group)
        .cte("pass")
    )


def _ranked(pass_: CTE, query: CostQuery) -> Subquery:
    group: ColumnElement[Any] = pass_.c.group
    if query.dimension is Dimension.TAG:
        # Whoever has no tags belongs to the group without a name.
        group = func.unnest(case((func.cardinality(group) > 0, group), else_=_UNTAGGED))
    spread = select(group.label("group"), *(pass_.c[name] for name in SUMS)).subquery("spread")
    name = func.coalesce(spread.c.group, "").label("group")
    grouped = select(name, *_again(spread)).group_by(name).subquery("grouped")
    place = func.row_number().over(order_by=_dearest_first(grouped)).label("place")
    return select(grouped, place).subquery("ranked")


def _labelled(rows: Subquery, query: CostQuery, has_name: ColumnElement[bool]) -> Select[Any]:
    """With the names that people gave to what the groups are."""
    named: dict[Dimension, tuple[Any, tuple[ColumnElement[bool], ...]]] = {
        Dimension.TEAM: (TeamRow, ()),
        Dimension.USER: (UserRow, ()),
        Dimension.KEY: (ApiKeyRow, (ApiKeyRow.team_id == query.team_id,)),
    }
    if query.dimension not in named:
        return select(rows, rows.c.group.label("label"))
    row, more = named[query.dimension]
    name = row.display_name if row is UserRow else row.name
    of_group = and_(has_name, cast(row.id, Text) == rows.c.group, *more)
    found = select(rows, func.coalesce(name, rows.c.group).label("label"))
    return found.select_from(rows.outerjoin(row, of_group))


def _again(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    return tuple(func.sum(rows.c[name]).label(name) for name in SUMS)


def _dearest_first(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    return rows.c.cost.desc(), rows.c.calls.desc(), collate(rows.c.group, "C")
