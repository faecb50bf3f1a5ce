from dataclasses import dataclass

from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.models.registry.routes.entries import RouteEntries
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.registry.registered_route import RegisteredRoute
from domain.models.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRouteCommand:
    actor: Actor
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRoute:
    """Puts a route over several models under a name of the team's own; every node serves it within
    a second. What it names has to be there and of its kind, and it must not fall back to itself."""

    uow: RegistryUnitOfWork
    entries: RouteEntries
    live: LiveRegistry

    async def __call__(self, command: CreateRouteCommand) -> RegisteredRoute:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            route = await self.entries.add(tx, actor, command.route)
            await self.entries.references.check(tx, actor.team_id, route.route)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
        return route
