from dataclasses import dataclass, field

from application.inference.call_ports import CallFilter, CallReader
from application.shared.actor import Actor
from application.shared.pagination import Slice, check_limit
from domain.identity.permissions import Permission
from domain.inference.call import Call

DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCallsQuery:
    actor: Actor
    where: CallFilter = field(default_factory=CallFilter)
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCalls:
    """Lists the team's calls, newest first: every one has exactly one row."""

    reader: CallReader

    async def __call__(self, query: ListCallsQuery) -> Slice[Call]:
        query.actor.require(Permission.READ_CALLS)
        return await self.reader.list(
            query.actor.team_id, query.where, cursor=query.cursor, limit=check_limit(query.limit)
        )
