from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.team import Team


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTeam:
    """Shows the actor's own team."""

    uow: IdentityUnitOfWork

    async def __call__(self, actor: Actor) -> Team:
        async with self.uow as tx:
            return await tx.teams.get(actor.team_id)
