from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.operations.error_mapping import group_of, group_values
from adapters.postgres.operations.error_rows import error_groups
from application.operations.records.ports import ErrorGroups
from domain.operations.errors import ErrorNotFoundError
from domain.operations.technical_error import ErrorGroup
from domain.shared.ids import ErrorGroupId


class PostgresErrorGroups(ErrorGroups):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, group_id: ErrorGroupId) -> ErrorGroup:
        query = select(error_groups).where(error_groups.c.id == group_id).with_for_update()
        with translated():
            row = (await self._session.execute(query)).mappings().one_or_none()
        if row is None:
            raise ErrorNotFoundError
        return group_of(row)

    async def save(self, group: ErrorGroup) -> None:
        values = group_values(group)
        change = update(error_groups).where(error_groups.c.id == group.id).values(values)
        with translated():
            await self._session.execute(change)
