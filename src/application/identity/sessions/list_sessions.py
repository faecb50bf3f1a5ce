from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.identity.sessions.person import session_of
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from application.shared.ports import Clock
from domain.identity.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessionsQuery:
    actor: Actor
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessions:
    """Lists the person's sessions that have not ended, newest first."""

    uow: IdentityUnitOfWork
    clock: Clock

    async def __call__(self, query: ListSessionsQuery) -> Page[Session]:
        user_id, _ = session_of(query.actor)
        async with self.uow as tx:
            return await tx.sessions.list_live(user_id, self.clock.now(), query.page)
