from dataclasses import dataclass

from application.models.registry.finding import find_route
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.models.registry.routes.entries import RouteEntries
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import RouteId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRouteCommand:
    """``which`` is its id or one of its names."""

    actor: Actor
    which: RouteId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRoute:
    """Removes a route that no other one falls back to. Its calls stay in the ledger."""

    uow: RegistryUnitOfWork
    entries: RouteEntries
    live: LiveRegistry

    async def __call__(self, command: DeleteRouteCommand) -> None:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            route = await find_route(tx, actor.team_id, command.which)
            await self.entries.remove(tx, actor, route)
            references = self.entries.references
            await references.check_falling_back(tx, actor.team_id, route.route.names)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
