from dataclasses import dataclass

from application.models.pricing.ports import PricingUnitOfWork
from application.models.pricing.priced_models import PricedModel, members_of
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices
from domain.models.registry.model import Model
from domain.shared.ids import ModelId, PriceId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPrices:
    """Sets prices of the registry's models from now on, where they are not in force already, each
    with a row in the audit log."""

    auditor: Auditor
    clock: Clock
    ids: IdGenerator

    async def in_force(self, tx: PricingUnitOfWork, team_id: TeamId) -> dict[ModelId, Prices]:
        """What the team has set, for each model what holds now."""
        now = self.clock.now()
        found: dict[ModelId, Prices] = {}
        for price in await tx.prices.all(team_id):
            if price.model_id is not None and price.effective_from <= now:
                found.setdefault(price.model_id, price.prices)
        return found

    async def set(self, tx: PricingUnitOfWork, actor: Actor, model: Model, prices: Prices) -> None:
        now = self.clock.now()
        price = PriceOverride(
            id=PriceId(self.ids.new()),
            team_id=actor.team_id,
            model_id=model.id,
            effective_from=now,
            prices=prices,
            created_at=now,
            user_id=actor.user_id,
            key_id=actor.key_id,
        )
        price.check()
        await tx.prices.add(price)
        of = PricedModel(name=model.name, model_id=model.id)
        await self.auditor.record(
            tx, actor, "price.set", Target("price", price.id), after=members_of(price, of)
        )
