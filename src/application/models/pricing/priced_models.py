"""Finding what somebody sets a price of."""

from dataclasses import dataclass

from application.models.ports import ModelCatalog
from application.models.pricing.ports import PricingUnitOfWork
from application.models.registry.finding import find_model
from application.shared.actor import Actor
from domain.models.errors import ModelNotFoundError
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices
from domain.models.registry.errors import ModelNotRegisteredError
from domain.shared.ids import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedModel:
    """A model of the team's registry, or a deployment of the configuration."""

    name: str
    model_id: ModelId | None = None
    provider: str | None = None
    upstream_name: str | None = None

    def has(self, price: PriceOverride) -> bool:
        if self.model_id is not None:
            return price.model_id == self.model_id
        return (price.provider, price.upstream_name) == (self.provider, self.upstream_name)


async def find_priced(
    tx: PricingUnitOfWork, catalog: ModelCatalog, actor: Actor, which: ModelId | str
) -> PricedModel:
    """Raises ``ModelNotRegisteredError`` for an id and ``ModelNotFoundError`` for a name that the
    team has not; another team's model is its own to price."""
    try:
        model = await find_model(tx, actor.team_id, which)
    except ModelNotRegisteredError:
        if not isinstance(which, str):
            raise
    else:
        return PricedModel(name=model.name, model_id=model.id)
    served = catalog.find(which, actor.team_id)
    if served is None or served.owner is not None:
        raise ModelNotFoundError(which)
    return PricedModel(
        name=served.name, provider=served.provider, upstream_name=served.upstream_name
    )


def members_of(price: PriceOverride, of: PricedModel) -> dict[str, object]:
    """What the audit log says of a price."""
    return {
        "model": of.name,
        "effective_from": price.effective_from.isoformat(),
        **_amounts(price.prices),
        "tiers": [{"above": tier.above, **_amounts(tier.prices)} for tier in price.prices.tiers],
    }


def _amounts(prices: Prices) -> dict[str, object]:
    amounts = {name: getattr(prices, name) for name in Prices.__slots__ if name != "tiers"}
    # Whatever is called `input` is taken for what somebody said to a model, and left out.
    return {
        f"{name}_price": f"{amount:f}" for name, amount in amounts.items() if amount is not None
    }
