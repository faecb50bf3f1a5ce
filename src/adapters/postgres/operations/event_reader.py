from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.cursors import cursor_at, id_in
from adapters.postgres.errors import translated
from adapters.postgres.operations.event_order import event_of
from adapters.postgres.operations.rows import events
from application.operations.events.ports import EventReader
from application.shared.pagination import Slice
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.ids import TeamId, UserId


class PostgresEventReader(EventReader):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(
        self,
        team_id: TeamId,
        user_id: UserId | None,
        permissions: frozenset[Permission],
        *,
        cursor: str | None,
        limit: int,
    ) -> Slice[Event]:
        of, needs = events.c.user_id, events.c.permission
        query = select(events).where(
            events.c.team_id == team_id,
            or_(of.is_(None), of == user_id),
            or_(needs.is_(None), needs.in_(sorted(map(str, permissions)))),
        )
        if cursor is not None:
            query = query.where(events.c.id < id_in(cursor))
        # One more than asked for tells whether there are more.
        query = query.order_by(events.c.id.desc()).limit(limit + 1)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).mappings().all()
        items = tuple(map(event_of, rows[:limit]))
        return Slice(
            items=items, next_cursor=cursor_at(items[-1].id) if len(rows) > limit else None
        )
