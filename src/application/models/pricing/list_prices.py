from dataclasses import dataclass, field

from application.models.ports import ModelCatalog
from application.models.pricing.ports import PricingUnitOfWork, ServedPrices
from application.models.pricing.priced_models import find_priced
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.permissions import Permission
from domain.models.errors import ModelNotFoundError
from domain.models.price_override import PriceOverride
from domain.models.price_schedule import PriceInForce
from domain.models.served_model import ServedModel
from domain.shared.ids import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOfModel:
    """A model that is served to the team, and what it costs at the moment."""

    model: ServedModel
    in_force: PriceInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPricesQuery:
    actor: Actor
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrices:
    """Lists what the models cost that the actor may use, and where each price comes from."""

    catalog: ModelCatalog
    prices: ServedPrices

    async def __call__(self, query: ListPricesQuery) -> Page[PriceOfModel]:
        actor, page = query.actor, query.page
        models = [m for m in self.catalog.all(actor.team_id) if actor.may_use(m)]
        shown = models[page.offset : page.offset + page.page_size]
        return Page(
            items=tuple(
                PriceOfModel(model=model, in_force=self.prices.of(model, actor.team_id))
                for model in shown
            ),
            total=len(models),
            page=page.page,
            page_size=page.page_size,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSetPricesQuery:
    """``which`` is the id of a model of the registry, or a name."""

    actor: Actor
    which: ModelId | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSetPrices:
    """Lists the prices that the team has set, of one model or of all, the latest first."""

    uow: PricingUnitOfWork
    catalog: ModelCatalog

    async def __call__(self, query: ListSetPricesQuery) -> tuple[PriceOverride, ...]:
        actor, which = query.actor, query.which
        actor.require(Permission.READ_CALLS)
        async with self.uow as tx:
            found = await tx.prices.all(actor.team_id)
            if which is None:
                return tuple(found)
            model = await find_priced(tx, self.catalog, actor, which)
        if isinstance(which, str) and not actor.may(Permission.MANAGE_MODELS):
            served = self.catalog.find(which, actor.team_id)
            if served is None or not actor.may_use(served):
                raise ModelNotFoundError(which)
        return tuple(price for price in found if model.has(price))
