from dataclasses import dataclass
from datetime import datetime

from application.models.ports import ModelCatalog
from application.models.pricing.ports import PricingUnitOfWork
from application.models.pricing.priced_models import find_priced, members_of
from application.models.registry.ports import LiveRegistry
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.moments import check_moments
from application.shared.ports import Clock, IdGenerator
from domain.identity.permissions import Permission
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices
from domain.shared.ids import ModelId, PriceId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriceCommand:
    """``which`` is the id of a model of the registry, or the name of any model that is served.
    Without ``effective_from`` the price holds at once."""

    actor: Actor
    which: ModelId | str
    prices: Prices
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPrice:
    """Sets what a model costs the team from a moment on, instead of what is known of its price.
    Calls that were made keep theirs. Models of the configuration are the server's, so that their
    price needs the permission `server.manage`."""

    uow: PricingUnitOfWork
    catalog: ModelCatalog
    live: LiveRegistry
    auditor: Auditor
    clock: Clock
    ids: IdGenerator

    async def __call__(self, command: SetPriceCommand) -> PriceOverride:
        actor, now = command.actor, self.clock.now()
        actor.require(Permission.MANAGE_MODELS)
        check_moments(effective_from=command.effective_from)
        async with self.uow as tx:
            found = await find_priced(tx, self.catalog, actor, command.which)
            if found.model_id is None:
                actor.require(Permission.MANAGE_SERVER)
            price = PriceOverride(
                id=PriceId(self.ids.new()),
                team_id=actor.team_id,
                model_id=found.model_id,
                provider=found.provider,
                upstream_name=found.upstream_name,
                effective_from=command.effective_from or now,
                prices=command.prices,
                created_at=now,
                user_id=actor.user_id,
                key_id=actor.key_id,
            )
            price.check()
            await tx.prices.add(price)
            await self.auditor.record(
                tx, actor, "price.set", Target("price", price.id), after=members_of(price, found)
            )
            await tx.commit()
        await self.live.catch_up(actor.team_id)
        return price
