from collections.abc import Sequence
from uuid import UUID

from application.operations.records.ports import AuditFilter, AuditReader
from application.shared.pagination import Slice
from domain.operations.audit import AuditEntry
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import TeamId

_CURSOR = "before-"


class InMemoryAuditReader(AuditReader):
    """Reads entries that an ``InMemoryAuditTrail`` keeps; remembers how much was asked for."""

    def __init__(self, entries: Sequence[AuditEntry]) -> None:
        self._entries = entries
        self.limits: list[int] = []

    async def list(
        self, team_id: TeamId, where: AuditFilter, *, cursor: str | None, limit: int
    ) -> Slice[AuditEntry]:
        self.limits.append(limit)
        before = None if cursor is None else _id_in(cursor)
        found = [e for e in self._entries if e.team_id == team_id and _matches(e, where)]
        newest_first = sorted(found, key=lambda entry: entry.id, reverse=True)
        rest = [entry for entry in newest_first if before is None or entry.id < before]
        chosen = tuple(rest[:limit])
        more = len(rest) > limit
        return Slice(items=chosen, next_cursor=f"{_CURSOR}{chosen[-1].id}" if more else None)


def _matches(entry: AuditEntry, where: AuditFilter) -> bool:
    names = ("user_id", "key_id", "target_type", "target_id")
    if any(getattr(where, n) not in (None, getattr(entry, n)) for n in names):
        return False
    if where.since is not None and entry.at < where.since:
        return False
    if where.until is not None and entry.at >= where.until:
        return False
    if where.action_prefix is not None:
        return entry.action.startswith(where.action_prefix)
    return where.action in (None, entry.action)


def _id_in(cursor: str) -> UUID:
    try:
        return UUID(cursor.removeprefix(_CURSOR))
    except ValueError:
        message = "is not a cursor of this list"
        raise InvalidError(
            f"'cursor' {message}.", param="cursor", errors=(FieldError("cursor", message),)
        ) from None
