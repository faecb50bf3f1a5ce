from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.operations.rows import notifications
from application.operations.events.ports import Listed, Notifications
from application.shared.pagination import Page, PageRequest
from domain.operations.errors import NotificationNotFoundError
from domain.operations.notification import Notification
from domain.shared.ids import EventId, NotificationId, TeamId, UserId

_COLUMNS = tuple(field.name for field in fields(Notification))


class PostgresNotifications(Notifications):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, notification: Notification) -> bool:
        values = {name: getattr(notification, name) for name in _COLUMNS}
        new = insert(notifications).values(values)
        added = new.on_conflict_do_nothing(
            index_elements=["team_id", "user_id", "event_id"]
        ).returning(notifications.c.id)
        with translated():
            return await self._session.scalar(added) is not None

    async def list(
        self, team_id: TeamId, user_id: UserId, page: PageRequest, *, unread: bool
    ) -> Listed:
        inbox = _inbox(team_id, user_id)
        shown = (*inbox, notifications.c.read_at.is_(None)) if unread else inbox
        query = (
            select(notifications)
            .where(*shown)
            .order_by(notifications.c.id.desc())
            .limit(page.page_size)
            .offset(page.offset)
        )
        is_unread = notifications.c.read_at.is_(None)
        counts = select(func.count(), func.count().filter(is_unread)).where(*inbox)
        with translated():
            rows = (await self._session.execute(query)).mappings().all()
            total, not_read = (await self._session.execute(counts)).one()
        return Listed(
            page=Page(
                items=tuple(map(_notification_of, rows)),
                total=not_read if unread else total,
                page=page.page,
                page_size=page.page_size,
            ),
            unread=not_read,
        )

    async def mark_read(
        self, team_id: TeamId, user_id: UserId, notification_id: NotificationId, at: datetime
    ) -> None:
        one = (
            update(notifications)
            .where(*_inbox(team_id, user_id), notifications.c.id == notification_id)
            .values(read_at=func.coalesce(notifications.c.read_at, at))
            .returning(notifications.c.id)
        )
        with translated():
            if await self._session.scalar(one) is None:
                raise NotificationNotFoundError

    async def mark_all_read(self, team_id: TeamId, user_id: UserId, at: datetime) -> None:
        unread = (
            update(notifications)
            .where(*_inbox(team_id, user_id), notifications.c.read_at.is_(None))
            .values(read_at=at)
        )
        with translated():
            await self._session.execute(unread)


def _inbox(team_id: TeamId, user_id: UserId) -> tuple[ColumnElement[bool], ...]:
    return (notifications.c.team_id == team_id, notifications.c.user_id == user_id)


def _notification_of(row: RowMapping) -> Notification:
    return Notification(
        id=NotificationId(row["id"]),
        team_id=TeamId(row["team_id"]),
        user_id=UserId(row["user_id"]),
        event_id=EventId(row["event_id"]),
        type=row["type"],
        title=row["title"],
        data=row["data"],
        created_at=row["created_at"],
        read_at=row["read_at"],
    )
