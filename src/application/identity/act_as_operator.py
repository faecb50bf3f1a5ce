from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.errors import TeamNotFoundError
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class ActAsOperator:
    """Finds out on whose behalf a person at the server's own terminal acts: the owner of the first
    team, or of another one. Whoever can run commands there can read the database anyway, so no key
    is asked for."""

    uow: IdentityUnitOfWork

    async def __call__(self, team_id: TeamId | None = None) -> Actor:
        async with self.uow as tx:
            team = await (tx.teams.first() if team_id is None else tx.teams.get(team_id))
            if team is None:
                raise TeamNotFoundError
            owner = await tx.users.owner_of(team.id)
            allowances = await tx.allowances.bounding(team.id, owner.id, None)
        return Actor(
            team_id=team.id,
            user_id=owner.id,
            allowances=allowances,
        )
