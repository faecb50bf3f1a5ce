from dataclasses import dataclass
from uuid import UUID

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.errors import TeamAmbiguousError, TeamNotFoundError
from domain.identity.permissions import Permission
from domain.identity.team import Team
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTeamQuery:
    """``reference`` is an id or a name."""

    actor: Actor
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTeam:
    """Finds the team that whoever manages the server means: by id, or by name where just one has
    it."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: FindTeamQuery) -> Team:
        query.actor.require(Permission.MANAGE_SERVER)
        async with self.uow as tx:
            named = await tx.teams.named(query.reference)
            if len(named) > 1:
                raise TeamAmbiguousError(query.reference)
            if named:
                return named[0]
            try:
                team_id = TeamId(UUID(query.reference))
            except ValueError:
                raise TeamNotFoundError from None
            return await tx.teams.get(team_id)
