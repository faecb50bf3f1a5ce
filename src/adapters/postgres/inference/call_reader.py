from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.cursors import cursor_at, id_in
from adapters.postgres.errors import translated
from adapters.postgres.inference.rows import call_contents, calls
from adapters.postgres.inference.usage_query import usage_query, usage_row
from adapters.postgres.partitions import lowest_id
from application.inference.call_ports import (
    CallFilter,
    CallReader,
    UsageGrouping,
    UsageRow,
)
from application.shared.pagination import Slice
from domain.inference.call import Call, CallContent, CallStatus
from domain.inference.errors import CallNotFoundError
from domain.models.prices import Prices
from domain.shared.ids import CallId, KeyId, TeamId, UserId
from domain.shared.usage import Usage

# The id of a call is made somewhat before its `created_at`; bounds on the id are there to leave
# out partitions, and may be generous.
SLACK = timedelta(days=1)


class PostgresCallReader(CallReader):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(
        self, team_id: TeamId, where: CallFilter, *, cursor: str | None, limit: int
    ) -> Slice[Call]:
        query = select(calls).where(*conditions(team_id, where))
        if cursor is not None:
            query = query.where(calls.c.id < id_in(cursor))
        # One more than asked for tells whether there are more.
        rows = await self._read(query.order_by(calls.c.id.desc()).limit(limit + 1))
        items = tuple(map(_call_of, rows[:limit]))
        return Slice(
            items=items, next_cursor=cursor_at(items[-1].id) if len(rows) > limit else None
        )

    async def get(self, team_id: TeamId, call_id: CallId) -> Call:
        rows = await self._read(
            select(calls, call_contents.c.request, call_contents.c.response)
            .outerjoin(
                call_contents,
                and_(
                    call_contents.c.team_id == calls.c.team_id,
                    call_contents.c.id == calls.c.id,
                    # Said twice, so that one partition is looked at and not all.
                    call_contents.c.id == call_id,
                ),
            )
            .where(calls.c.team_id == team_id, calls.c.id == call_id)
        )
        if not rows:
            raise CallNotFoundError
        call, row = _call_of(rows[0]), rows[0]
        if row["request"] is not None:
            call.content = CallContent(request=row["request"], response=row["response"])
        return call

    async def usage(
        self, team_id: TeamId, grouping: UsageGrouping, where: CallFilter
    ) -> tuple[UsageRow, ...]:
        rows = await self._read(usage_query(grouping, conditions(team_id, where)))
        return tuple(map(usage_row, rows))

    async def _read(self, query: Any) -> Sequence[RowMapping]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).mappings().all()


def conditions(team_id: TeamId, where: CallFilter) -> tuple[ColumnElement[bool], ...]:
    found: list[ColumnElement[bool]] = [calls.c.team_id == team_id]
    if where.since is not None:
        found += [calls.c.created_at >= where.since, calls.c.id >= lowest_id(where.since - SLACK)]
    if where.until is not None:
        found += [calls.c.created_at < where.until, calls.c.id < lowest_id(where.until + SLACK)]
    if where.key_id is not None:
        found.append(calls.c.key_id == where.key_id)
    if where.model is not None:
        found.append(calls.c.model == where.model)
    if where.status is not None:
        found.append(calls.c.status == str(where.status))
    return tuple(found)


def _call_of(row: RowMapping) -> Call:
    return Call(
        id=CallId(row["id"]),
        team_id=TeamId(row["team_id"]),
        key_id=None if row["key_id"] is None else KeyId(row["key_id"]),
        user_id=None if row["user_id"] is None else UserId(row["user_id"]),
        correlation_id=row["correlation_id"],
        endpoint=row["endpoint"],
        model=row["model"],
        stream=row["stream"],
        created_at=row["created_at"],
        provider=row["provider"],
        deployment=row["deployment"],
        price=_price_of(row),
        status=CallStatus(row["status"]),
        settled_at=row["settled_at"],
        error_code=row["error_code"],
        finish_reason=row["finish_reason"],
        usage=_usage_of(row),
        cost=row["cost"],
        latency_ms=row["latency_ms"],
        ttft_ms=row["ttft_ms"],
        provider_request_id=row["provider_request_id"],
    )


def _price_of(row: RowMapping) -> Prices | None:
    if row["input_price"] is None:
        return None
    return Prices(
        input=row["input_price"],
        output=row["output_price"],
        cached_input=row["cached_input_price"],
    )


def _usage_of(row: RowMapping) -> Usage | None:
    if row["prompt_tokens"] is None:
        return None
    return Usage(
        prompt_tokens=row["prompt_tokens"],
        cached_tokens=row["cached_tokens"],
        completion_tokens=row["completion_tokens"],
        reasoning_tokens=row["reasoning_tokens"],
        counted=row["usage_counted"],
    )
