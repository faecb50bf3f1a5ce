from collections.abc import Collection
from dataclasses import dataclass

from application.models.applying.moving_names import making_way, names_in
from application.models.applying.registry_difference import Deed, Difference, changed
from application.models.applying.wanted_registry import WantedRegistry
from application.models.pricing.ports import PricingUnitOfWork
from application.models.registry.models.entries import ModelChange, ModelEntries, recorded
from application.models.registry.providers.entries import ProviderEntries
from application.models.registry.routes.entries import RouteEntries
from application.shared.actor import Actor
from domain.models.registry.errors import ModelInUseError
from domain.models.registry.model import Model, ModelState

_ARCHIVED = ModelChange(state=ModelState.ARCHIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Takes out of a team's registry what somebody has not written down."""

    providers: ProviderEntries
    models: ModelEntries
    routes: RouteEntries

    async def routes_and_models(
        self, tx: PricingUnitOfWork, actor: Actor, wanted: WantedRegistry
    ) -> list[Difference]:
        """What was called is archived, and leaves its names to whatever shall have them."""
        found: list[Difference] = []
        routes = {route.name for route in wanted.routes}
        for registered in await tx.routes.all(actor.team_id):
            if registered.name not in routes:
                await self.routes.remove(tx, actor, registered)
                found.append(Difference(deed=Deed.REMOVED, what="route", name=registered.name))
        kept = {model.name for model in wanted.models}
        claimed = names_in(wanted)
        for model in await tx.models.all(actor.team_id):
            if model.name in kept:
                continue
            if model.state is ModelState.ARCHIVED:
                found += await self._make_way(tx, actor, model, claimed)
            else:
                found.append(await self._remove(tx, actor, model, claimed))
        return found

    async def unneeded_providers(
        self, tx: PricingUnitOfWork, actor: Actor, wanted: WantedRegistry
    ) -> list[Difference]:
        """Those of archived models stay: they are part of what is known of their calls."""
        names = {provider.name for provider in wanted.providers}
        needed = {model.provider_id for model in await tx.models.all(actor.team_id)}
        found: list[Difference] = []
        for provider in await tx.providers.all(actor.team_id):
            if provider.name not in names and provider.id not in needed:
                await self.providers.remove(tx, actor, provider)
                found.append(Difference(deed=Deed.REMOVED, what="provider", name=provider.name))
        return found

    async def _remove(
        self, tx: PricingUnitOfWork, actor: Actor, model: Model, claimed: Collection[str]
    ) -> Difference:
        try:
            await self.models.remove(tx, actor, model)
        except ModelInUseError:
            archived = await self.models.change(tx, actor, model, _ARCHIVED)
            ways = await self._make_way(tx, actor, archived, claimed)
            fields = ways[0].fields if ways else ()
            return Difference(deed=Deed.ARCHIVED, what="model", name=model.name, fields=fields)
        return Difference(deed=Deed.REMOVED, what="model", name=model.name)

    async def _make_way(
        self, tx: PricingUnitOfWork, actor: Actor, model: Model, claimed: Collection[str]
    ) -> list[Difference]:
        taken = {name for one in await tx.models.all(actor.team_id) for name in one.names}
        way = making_way(model, claimed, taken)
        if way is None:
            return []
        moved = await self.models.change_even_archived(tx, actor, model, way)
        return [changed("model", model.name, recorded(model), recorded(moved))]
