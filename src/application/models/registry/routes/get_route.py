from dataclasses import dataclass

from application.models.registry.finding import find_route
from application.models.registry.ports import RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.registry.registered_route import RegisteredRoute
from domain.shared.ids import RouteId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRouteQuery:
    """``which`` is its id or one of its names."""

    actor: Actor
    which: RouteId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRoute:
    """Shows a route of the team's registry."""

    uow: RegistryUnitOfWork

    async def __call__(self, query: GetRouteQuery) -> RegisteredRoute:
        query.actor.require(Permission.READ_TEAM)
        async with self.uow as tx:
            return await find_route(tx, query.actor.team_id, query.which)
