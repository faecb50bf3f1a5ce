from dataclasses import dataclass, replace

from application.models.registry.finding import find_route
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.models.registry.routes.entries import RouteEntries
from application.models.registry.routes.route_change import RouteChange
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.registry.registered_route import RegisteredRoute
from domain.shared.ids import RouteId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRouteCommand:
    """``which`` is its id or one of its names."""

    actor: Actor
    which: RouteId | str
    change: RouteChange


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRoute:
    """Changes a route of the team's registry; every node obeys within a second."""

    uow: RegistryUnitOfWork
    entries: RouteEntries
    live: LiveRegistry

    async def __call__(self, command: UpdateRouteCommand) -> RegisteredRoute:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            old = await find_route(tx, actor.team_id, command.which)
            changed = replace(old.route, **command.change.given)
            route = await self.entries.change(tx, actor, old, changed)
            references = self.entries.references
            await references.check(tx, actor.team_id, route.route)
            await references.check_falling_back(tx, actor.team_id, old.route.names)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
        return route
