from collections.abc import AsyncIterator
from dataclasses import dataclass

from application.operations.records.ports import AuditFilter, AuditReader
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.operations.audit import AuditEntry
from domain.shared.ids import TeamId

# Read at once; no more is ever in memory, and no connection is held between two reads.
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAuditQuery:
    actor: Actor
    where: AuditFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAudit:
    """Hands out all entries of the team's audit log that are asked for, newest first, piece by
    piece. The first piece is read before the answer begins, so that what is wrong can be said."""

    reader: AuditReader

    async def __call__(self, query: ExportAuditQuery) -> AsyncIterator[tuple[AuditEntry, ...]]:
        query.actor.require(Permission.READ_AUDIT)
        team_id, where = query.actor.team_id, query.where
        first = await self.reader.list(team_id, where, cursor=None, limit=CHUNK)
        return self._pieces(team_id, where, first.items, first.next_cursor)

    async def _pieces(
        self,
        team_id: TeamId,
        where: AuditFilter,
        items: tuple[AuditEntry, ...],
        cursor: str | None,
    ) -> AsyncIterator[tuple[AuditEntry, ...]]:
        yield items
        while cursor is not None:
            found = await self.reader.list(team_id, where, cursor=cursor, limit=CHUNK)
            cursor = found.next_cursor
            yield found.items
