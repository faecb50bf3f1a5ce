from dataclasses import dataclass, field

from application.models.registry.models.shown_model import ShownModel
from application.models.registry.ports import ModelFilter, RegistrySort, RegistryUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRegisteredModelsQuery:
    actor: Actor
    where: ModelFilter = field(default_factory=ModelFilter)
    page: PageRequest = field(default_factory=PageRequest)
    sort: RegistrySort = RegistrySort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRegisteredModels:
    """Lists the models of the team's registry, also those that are switched off or archived."""

    uow: RegistryUnitOfWork

    async def __call__(self, query: ListRegisteredModelsQuery) -> Page[ShownModel]:
        team_id = query.actor.team_id
        query.actor.require(Permission.READ_TEAM)
        async with self.uow as tx:
            found = await tx.models.list(team_id, query.where, query.page, query.sort)
            providers = {one.id: one.name for one in await tx.providers.all(team_id)}
        return Page(
            items=tuple(
                ShownModel(model=one, provider=providers[one.provider_id]) for one in found.items
            ),
            total=found.total,
            page=found.page,
            page_size=found.page_size,
        )
