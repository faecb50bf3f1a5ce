from dataclasses import dataclass

from application.models.registry.finding import find_provider
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.models.registry.providers.shown_provider import ShownProvider
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProviderQuery:
    """``which`` is its id or its name."""

    actor: Actor
    which: ProviderId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProvider:
    """Shows a provider of the team's registry, with its secrets masked."""

    uow: RegistryUnitOfWork
    live: LiveRegistry

    async def __call__(self, query: GetProviderQuery) -> ShownProvider:
        query.actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            provider = await find_provider(tx, query.actor.team_id, query.which)
        return ShownProvider(provider=provider, problem=self.live.problem(provider.id))
