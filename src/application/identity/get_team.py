from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.identity.team_profile import TeamProfile, profile_of
from application.identity.team_reach import acting_in
from application.operations.ports import RuntimeSettings
from application.shared.actor import Actor
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTeamQuery:
    """Without a ``team_id`` it is the team that the actor acts in."""

    actor: Actor
    team_id: TeamId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTeam:
    """Shows a team that the actor is in; those who manage the server see any."""

    uow: IdentityUnitOfWork
    runtime: RuntimeSettings

    async def __call__(self, query: GetTeamQuery) -> TeamProfile:
        team_id = query.team_id or query.actor.team_id
        async with self.uow as tx:
            await acting_in(tx, query.actor, team_id)
            return await profile_of(tx, await tx.teams.get(team_id), self.runtime)
