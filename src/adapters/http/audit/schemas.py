from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import Struct

from application.shared.pagination import Slice
from domain.operations.audit import ActorKind, AuditEntry


class AuditEntryView(Struct, kw_only=True):
    """Who did what to what, from where. `before` and `after` hold the members that changed, with
    secrets masked."""

    id: UUID
    at: datetime
    actor_kind: ActorKind
    user_id: UUID | None
    key_id: UUID | None
    action: str
    target_type: str
    target_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    correlation_id: str
    address: str | None
    user_agent: str | None

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        return cls(
            id=entry.id,
            at=entry.at,
            actor_kind=entry.actor_kind,
            user_id=entry.user_id,
            key_id=entry.key_id,
            action=entry.action,
            target_type=entry.target_type,
            target_id=entry.target_id,
            before=None if entry.before is None else dict(entry.before),
            after=None if entry.after is None else dict(entry.after),
            correlation_id=entry.correlation_id,
            address=entry.address,
            user_agent=entry.user_agent,
        )


class AuditSlice(Struct, kw_only=True):
    items: tuple[AuditEntryView, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Slice[AuditEntry]) -> Self:
        items = tuple(AuditEntryView.of(entry) for entry in found.items)
        return cls(items=items, next_cursor=found.next_cursor)
