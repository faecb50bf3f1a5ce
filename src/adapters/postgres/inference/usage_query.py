from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    collate,
    func,
    or_,
    select,
)

from adapters.postgres.identity.rows import ApiKeyRow
from adapters.postgres.inference.rows import calls
from application.inference.call_ports import UsageGrouping, UsageRow
from domain.inference.call import CallStatus

_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")
_RARE = (
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "images",
    "characters",
    "searches",
)
_AMOUNTS = ("cost", "seconds", "saved")
_BESIDE_TOKENS = ("images", "characters", "seconds", "searches")

_GROUP: dict[UsageGrouping, ColumnElement[str]] = {
    UsageGrouping.DAY: func.to_char(func.timezone("UTC", calls.c.created_at), "YYYY-MM-DD"),
    UsageGrouping.MODEL: calls.c.model,
    UsageGrouping.KEY: func.coalesce(cast(calls.c.key_id, Text), ""),
}


def usage_query(grouping: UsageGrouping, where: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    """Sums by group first, so that only as many names are looked up as there are keys."""
    group = _GROUP[grouping].label("group")
    sums = (
        select(group, calls.c.team_id, *usage_sums())
        .where(*where)
        .group_by(group, calls.c.team_id)
        .subquery("sums")
    )
    if grouping is UsageGrouping.DAY:
        return select(sums, sums.c.group.label("label")).order_by(sums.c.group.desc())
    query: Select[Any] = select(sums)
    label: ColumnElement[str] = sums.c.group
    if grouping is UsageGrouping.KEY:
        of_group = and_(
            ApiKeyRow.team_id == sums.c.team_id, cast(ApiKeyRow.id, Text) == sums.c.group
        )
        query = query.outerjoin(ApiKeyRow, of_group)
        label = func.coalesce(ApiKeyRow.name, sums.c.group)
    return query.add_columns(label.label("label")).order_by(
        sums.c.cost.desc(), sums.c.calls.desc(), collate(label, "C"), collate(sums.c.group, "C")
    )


def usage_row(row: Mapping[Any, Any]) -> UsageRow:
    sums: dict[str, Any] = {name: Decimal(row[name]) for name in _AMOUNTS}
    for name in ("calls", *CallStatus, *_TOKENS, *_RARE, "unpriced", "priced"):
        sums[name] = int(row[name])
    return UsageRow(group=row["group"], label=row["label"], **sums)


def usage_sums() -> tuple[ColumnElement[Any], ...]:
    """What ``usage_row`` reads of a group."""
    by_status = (func.count().filter(calls.c.status == str(s)).label(str(s)) for s in CallStatus)
    return (*by_status, *sums_but_by_status())


def sums_but_by_status() -> tuple[ColumnElement[Any], ...]:
    used_something = or_(
        calls.c.prompt_tokens + calls.c.completion_tokens > 0,
        *(calls.c[name] > 0 for name in _BESIDE_TOKENS),
    )
    return (
        func.count().label("calls"),
        *(
            func.coalesce(func.sum(calls.c[name]), 0).label(name)
            for name in (*_TOKENS, *_RARE, *_AMOUNTS)
        ),
        func.count().filter(and_(calls.c.cost.is_(None), used_something)).label("unpriced"),
        func.count(calls.c.cost).label("priced"),
    )
