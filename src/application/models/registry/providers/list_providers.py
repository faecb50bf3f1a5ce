from dataclasses import dataclass, field

from application.models.registry.ports import LiveRegistry, RegistrySort, RegistryUnitOfWork
from application.models.registry.providers.shown_provider import ShownProvider
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProvidersQuery:
    actor: Actor
    page: PageRequest = field(default_factory=PageRequest)
    sort: RegistrySort = RegistrySort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProviders:
    """Lists the providers of the team's registry, with their secrets masked."""

    uow: RegistryUnitOfWork
    live: LiveRegistry

    async def __call__(self, query: ListProvidersQuery) -> Page[ShownProvider]:
        query.actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            found = await tx.providers.list(query.actor.team_id, query.page, query.sort)
        return Page(
            items=tuple(
                ShownProvider(provider=one, problem=self.live.problem(one.id))
                for one in found.items
            ),
            total=found.total,
            page=found.page,
            page_size=found.page_size,
        )
