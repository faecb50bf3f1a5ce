from dataclasses import dataclass, field

from application.models.registry.ports import RegistrySort, RegistryUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.permissions import Permission
from domain.models.registry.registered_route import RegisteredRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRoutesQuery:
    actor: Actor
    page: PageRequest = field(default_factory=PageRequest)
    sort: RegistrySort = RegistrySort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRoutes:
    """Lists the routes of the team's registry."""

    uow: RegistryUnitOfWork

    async def __call__(self, query: ListRoutesQuery) -> Page[RegisteredRoute]:
        query.actor.require(Permission.READ_TEAM)
        async with self.uow as tx:
            return await tx.routes.list(query.actor.team_id, query.page, query.sort)
