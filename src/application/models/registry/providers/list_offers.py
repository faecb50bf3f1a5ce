from collections.abc import Sequence
from dataclasses import dataclass

from application.models.registry.finding import find_provider
from application.models.registry.ports import Offer, ProviderOffers, RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOffersQuery:
    """``which`` is the provider's id or name."""

    actor: Actor
    which: ProviderId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOffers:
    """Asks a provider which models it has."""

    uow: RegistryUnitOfWork
    offers: ProviderOffers

    async def __call__(self, query: ListOffersQuery) -> Sequence[Offer]:
        query.actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            provider = await find_provider(tx, query.actor.team_id, query.which)
        return await self.offers.of(provider)
