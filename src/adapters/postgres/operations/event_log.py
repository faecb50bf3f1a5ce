from dataclasses import fields

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.operations.rows import events
from application.shared.ports import EventLog
from domain.operations.event import Event

# Readers of events listen here; the payload is the team.
CHANNEL = "stoa_events"

_COLUMNS = tuple(field.name for field in fields(Event))


class PostgresEventLog(EventLog):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, event: Event) -> None:
        values = {name: getattr(event, name) for name in _COLUMNS}
        with translated():
            await self._session.execute(insert(events).values(values))
            await self._session.execute(select(func.pg_notify(CHANNEL, str(event.team_id))))
