from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.operations.event_order import KNOWN, event_of
from adapters.postgres.operations.rows import event_readers, events
from application.operations.events.ports import EventOutbox
from domain.operations.event import Event

NOTIFIER = "notifications"

_LOCK_ID = 0x53746F61_0000000B


class PostgresEventOutbox(EventOutbox):
    """Remembers how far the queue was taken; one node at a time may take. It gives out numbered
    events alone; those who feed the listeners give the numbers."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, limit: int) -> tuple[Event, ...]:
        with translated():
            position = await self._hold()
            if position is None:
                return ()
            query = (
                select(events)
                .where(events.c.position > position, KNOWN)
                .order_by(events.c.position)
                .limit(limit)
            )
            rows = (await self._session.execute(query)).mappings().all()
            if rows:
                await self._session.execute(
                    update(event_readers)
                    .where(event_readers.c.name == NOTIFIER)
                    .values(position=rows[-1]["position"])
                )
        return tuple(event_of(row) for row in rows)

    async def _hold(self) -> int | None:
        """How far it was taken, or ``None`` while another node takes some."""
        if not await self._session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK_ID))):
            return None
        position = await self._session.scalar(
            select(event_readers.c.position).where(event_readers.c.name == NOTIFIER)
        )
        if position is None:
            position = 0
            await self._session.execute(
                insert(event_readers).values(name=NOTIFIER, position=position)
            )
        return position
