from dataclasses import dataclass

from application.models.pricing.ports import PricingUnitOfWork
from application.models.pricing.priced_models import PricedModel, members_of
from application.models.registry.ports import LiveRegistry
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from domain.identity.permissions import Permission
from domain.models.errors import PriceNotFoundError
from domain.models.price_override import PriceOverride
from domain.shared.ids import ModelId, PriceId


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePriceCommand:
    """``of`` is the model that the price must be one of, where that is known."""

    actor: Actor
    price_id: PriceId
    of: ModelId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePrice:
    """Removes a price that the team has set; what held before it holds again. Calls that were made
    keep theirs."""

    uow: PricingUnitOfWork
    live: LiveRegistry
    auditor: Auditor

    async def __call__(self, command: RemovePriceCommand) -> None:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            price = await tx.prices.get(actor.team_id, command.price_id)
            if command.of not in (None, price.model_id):
                raise PriceNotFoundError
            if price.model_id is None:
                actor.require(Permission.MANAGE_SERVER)
            await tx.prices.remove(price)
            await self.auditor.record(
                tx,
                actor,
                "price.removed",
                Target("price", price.id),
                before=members_of(price, await _model_of(tx, price)),
            )
            await tx.commit()
        await self.live.catch_up(actor.team_id)


async def _model_of(tx: PricingUnitOfWork, price: PriceOverride) -> PricedModel:
    if price.model_id is None:
        return PricedModel(name=f"{price.provider}/{price.upstream_name}")
    model = await tx.models.get(price.team_id, price.model_id)
    return PricedModel(name=model.name, model_id=model.id)
