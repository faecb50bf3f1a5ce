from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import Struct

from application.shared.pagination import Slice
from domain.operations.event import Event


class EventView(Struct, kw_only=True):
    """Something that happened; what stands in `data` depends on the type."""

    id: UUID
    type: str
    at: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(id=event.id, type=event.type, at=event.at, data=dict(event.data))


class EventSlice(Struct, kw_only=True):
    items: tuple[EventView, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Slice[Event]) -> Self:
        return cls(items=tuple(map(EventView.of, found.items)), next_cursor=found.next_cursor)
