from dataclasses import dataclass

from application.operations.events.ports import EventReader
from application.shared.actor import Actor
from application.shared.pagination import Slice, check_limit
from domain.identity.permissions import Permission
from domain.operations.event import Event

DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEventsQuery:
    actor: Actor
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEvents:
    """Lists what happened in the team and concerns the actor, newest first."""

    reader: EventReader

    async def __call__(self, query: ListEventsQuery) -> Slice[Event]:
        actor = query.actor
        actor.require(Permission.READ_TEAM)
        return await self.reader.list(
            actor.team_id,
            actor.user_id,
            actor.permissions,
            cursor=query.cursor,
            limit=check_limit(query.limit),
        )
