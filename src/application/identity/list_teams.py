from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.permissions import Permission
from domain.identity.team import Team
from domain.operations.audit import ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTeamsQuery:
    actor: Actor
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTeams:
    """Lists the teams that a person is in, the one of a key, or all for those who manage the
    server; oldest first."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: ListTeamsQuery) -> Page[Team]:
        actor, page = query.actor, query.page
        async with self.uow as tx:
            if actor.may(Permission.MANAGE_SERVER):
                return await tx.teams.list(page)
            if actor.user_id is not None and actor.kind is ActorKind.USER:
                return await tx.teams.list(page, user_id=actor.user_id)
            own = await tx.teams.get(actor.team_id)
        return Page(
            items=(own,) if page.page == 1 else (),
            total=1,
            page=page.page,
            page_size=page.page_size,
        )
