from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.operations.error_mapping import (
    group_of,
    occurrence_of,
    occurrences_query,
)
from adapters.postgres.operations.error_rows import error_groups, error_logs
from application.operations.records.ports import ErrorFilter, ErrorReader, FoundError
from application.shared.pagination import Page, PageRequest
from domain.operations.errors import ErrorNotFoundError
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence


class PostgresErrorReader(ErrorReader):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(self, where: ErrorFilter, page: PageRequest) -> Page[ErrorGroup]:
        conditions = _conditions(where)
        latest_first = (error_groups.c.last_seen.desc(), error_groups.c.id.desc())
        query = select(error_groups).where(*conditions).order_by(*latest_first)
        counting = select(func.count().label("total")).select_from(error_groups).where(*conditions)
        rows = await self._read(query.limit(page.page_size).offset(page.offset))
        [counted] = await self._read(counting)
        return Page(
            items=tuple(map(group_of, rows)),
            total=counted["total"],
            page=page.page,
            page_size=page.page_size,
        )

    async def find(self, wanted: UUID) -> FoundError:
        if groups := await self._read(select(error_groups).where(error_groups.c.id == wanted)):
            return FoundError(group=group_of(groups[0]))
        occurrences = await self._read(occurrences_query().where(error_logs.c.id == wanted))
        if not occurrences:
            raise ErrorNotFoundError
        own = error_groups.c.id == occurrences[0]["group_id"]
        [row] = await self._read(select(error_groups).where(own))
        group = group_of(row)
        return FoundError(group=group, occurrence=occurrence_of(occurrences[0], group))

    async def occurrences(self, group: ErrorGroup, *, limit: int) -> tuple[ErrorOccurrence, ...]:
        query = (
            occurrences_query()
            .where(error_logs.c.group_id == group.id)
            .order_by(error_logs.c.id.desc())
            .limit(limit)
        )
        return tuple(occurrence_of(row, group) for row in await self._read(query))

    async def _read(self, query: Any) -> Sequence[RowMapping]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).mappings().all()


def _conditions(where: ErrorFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.state is not None:
        found.append(error_groups.c.state == str(where.state))
    if where.code is not None:
        found.append(error_groups.c.code == where.code)
    if where.since is not None:
        found.append(error_groups.c.last_seen >= where.since)
    return found
