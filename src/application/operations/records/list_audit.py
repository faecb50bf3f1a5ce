from dataclasses import dataclass

from application.operations.records.ports import AuditFilter, AuditReader
from application.shared.actor import Actor
from application.shared.pagination import Slice, check_limit
from domain.identity.permissions import Permission
from domain.operations.audit import AuditEntry

DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAuditQuery:
    actor: Actor
    where: AuditFilter
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAudit:
    """Lists the team's audit log, newest first."""

    reader: AuditReader

    async def __call__(self, query: ListAuditQuery) -> Slice[AuditEntry]:
        query.actor.require(Permission.READ_AUDIT)
        limit = check_limit(query.limit)
        return await self.reader.list(
            query.actor.team_id, query.where, cursor=query.cursor, limit=limit
        )
