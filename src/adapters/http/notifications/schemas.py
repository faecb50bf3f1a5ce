from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import Struct

from adapters.http.page_numbers import numbers_of
from application.operations.events.ports import Listed
from domain.operations.notification import Notification


class NotificationView(Struct, kw_only=True):
    """`type` and `data` are those of the event `event_id`; `title` says it in words."""

    id: UUID
    event_id: UUID
    type: str
    title: str
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, notification: Notification) -> Self:
        return cls(
            id=notification.id,
            event_id=notification.event_id,
            type=notification.type,
            title=notification.title,
            data=dict(notification.data),
            created_at=notification.created_at,
            read_at=notification.read_at,
        )


class NotificationPage(Struct, kw_only=True):
    """`unread` counts all that are not read, on whatever page."""

    items: tuple[NotificationView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int
    unread: int

    @classmethod
    def of(cls, listed: Listed) -> Self:
        page = listed.page
        return cls(
            items=tuple(map(NotificationView.of, page.items)),
            **numbers_of(page),
            unread=listed.unread,
        )
