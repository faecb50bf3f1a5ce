from collections.abc import Sequence
from dataclasses import dataclass

from application.models.registry.ports import RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.registry.model import Model
from domain.models.registry.provider import Provider
from domain.models.registry.registered_route import RegisteredRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRegistry:
    """All that a team has set up, by name."""

    providers: Sequence[Provider]
    models: Sequence[Model]
    routes: Sequence[RegisteredRoute]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRegistry:
    """Reads the whole registry of a team."""

    uow: RegistryUnitOfWork

    async def __call__(self, actor: Actor) -> TeamRegistry:
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            return TeamRegistry(
                providers=await tx.providers.all(actor.team_id),
                models=await tx.models.all(actor.team_id),
                routes=await tx.routes.all(actor.team_id),
            )
