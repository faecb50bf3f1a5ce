from dataclasses import dataclass

from application.identity.people.account import Account
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.allowance import Allowance, Subject, SubjectKind
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsersQuery:
    actor: Actor
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsers:
    """Lists the accounts of the people in the team, oldest first."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: ListUsersQuery) -> Page[Account]:
        query.actor.require(Permission.READ_TEAM)
        team_id = query.actor.team_id
        async with self.uow as tx:
            found = await tx.memberships.list(team_id, query.page)
            ids = [member.user.id for member in found.items]
            allowances = await tx.allowances.of(team_id, SubjectKind.USER, ids)
        return Page(
            items=tuple(
                Account(
                    user=member.user,
                    role=member.role,
                    allowance=allowances.get(
                        member.user.id,
                        Allowance(subject=Subject(SubjectKind.USER, member.user.id)),
                    ),
                )
                for member in found.items
            ),
            total=found.total,
            page=found.page,
            page_size=found.page_size,
        )
