from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.joining.invitation import Invitation
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInvitationsQuery:
    actor: Actor
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInvitations:
    """Lists the team's invitations, newest first, closed ones included."""

    uow: JoiningUnitOfWork

    async def __call__(self, query: ListInvitationsQuery) -> Page[Invitation]:
        query.actor.require(Permission.MANAGE_MEMBERS)
        async with self.uow as tx:
            return await tx.invitations.list(query.actor.team_id, query.page)
