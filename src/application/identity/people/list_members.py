from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.membership import Member
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMembersQuery:
    actor: Actor
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMembers:
    """Lists who is in the team and as what, oldest accounts first."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: ListMembersQuery) -> Page[Member]:
        query.actor.require(Permission.READ_TEAM)
        async with self.uow as tx:
            return await tx.memberships.list(query.actor.team_id, query.page)
