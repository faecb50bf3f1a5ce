from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.cursors import cursor_at, id_in
from adapters.postgres.errors import translated
from adapters.postgres.inference.rows import call_contents, calls
from adapters.postgres.inference.stored_call import call_of
from adapters.postgres.inference.usage_query import usage_query, usage_row
from adapters.postgres.partitions import lowest_id
from application.inference.call_ports import (
    CallFilter,
    CallReader,
    UsageGrouping,
    UsageRow,
)
from application.shared.pagination import Slice
from domain.inference.call import Call, CallContent
from domain.inference.errors import CallNotFoundError
from domain.shared.ids import CallId, TeamId

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
        items = tuple(map(call_of, rows[:limit]))
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
        call, row = call_of(rows[0]), rows[0]
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
    found = [calls.c.team_id == team_id, *span_conditions(where.since, where.until)]
    if where.key_id is not None:
        found.append(calls.c.key_id == where.key_id)
    if where.model is not None:
        found.append(calls.c.model == where.model)
    if where.status is not None:
        found.append(calls.c.status == str(where.status))
    return tuple(found)


def span_conditions(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found += [calls.c.created_at >= since, calls.c.id >= lowest_id(since - SLACK)]
    if until is not None:
        found += [calls.c.created_at < until, calls.c.id < lowest_id(until + SLACK)]
    return found
