from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from application.models.pricing.ports import PricingUnitOfWork
from application.models.pricing.wanted_prices import WantedPrices
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.prices import Prices
from domain.models.registry.model import Model
from domain.models.registry.provider import Provider
from domain.models.registry.registered_route import RegisteredRoute
from domain.shared.ids import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRegistry:
    """All that a team has set up, by name, with the prices that it has set and that are in
    force."""

    providers: Sequence[Provider]
    models: Sequence[Model]
    routes: Sequence[RegisteredRoute]
    prices: Mapping[ModelId, Prices]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRegistry:
    """Reads the whole registry of a team."""

    uow: PricingUnitOfWork
    prices: WantedPrices

    async def __call__(self, actor: Actor) -> TeamRegistry:
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            return TeamRegistry(
                providers=await tx.providers.all(actor.team_id),
                models=await tx.models.all(actor.team_id),
                routes=await tx.routes.all(actor.team_id),
                prices=await self.prices.in_force(tx, actor.team_id),
            )
