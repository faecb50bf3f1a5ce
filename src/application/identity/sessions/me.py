from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import MAX_PAGE_SIZE, PageRequest
from domain.identity.permissions import Permission, Role
from domain.identity.user import User
from domain.shared.ids import TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTeam:
    """A team as one of its members sees it."""

    id: TeamId
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """A person, with the team that the person acts in now and all others."""

    user: User
    team_id: TeamId
    permissions: frozenset[Permission]
    teams: tuple[OwnTeam, ...]

    @property
    def role(self) -> Role | None:
        return next((team.role for team in self.teams if team.id == self.team_id), None)


async def me_of(tx: IdentityUnitOfWork, actor: Actor, user: User) -> Me:
    return Me(
        user=user,
        team_id=actor.team_id,
        permissions=actor.permissions,
        teams=await _teams_of(tx, user.id),
    )


async def _teams_of(tx: IdentityUnitOfWork, user_id: UserId) -> tuple[OwnTeam, ...]:
    roles = {member.team_id: member.role for member in await tx.memberships.of_user(user_id)}
    found: list[OwnTeam] = []
    for number in range(1, -(-len(roles) // MAX_PAGE_SIZE) + 1):
        page = PageRequest(page=number, page_size=MAX_PAGE_SIZE)
        teams = await tx.teams.list(page, user_id=user_id)
        found += [
            OwnTeam(id=team.id, name=team.name, role=roles[team.id])
            for team in teams.items
            if team.id in roles
        ]
    return tuple(found)
