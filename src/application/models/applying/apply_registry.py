from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

from application.models.applying.moving_names import Standing, let_go_of_aliases, standing
from application.models.applying.pruning import Pruning
from application.models.applying.registry_difference import (
    Deed,
    Difference,
    FieldDifference,
    changed,
)
from application.models.applying.wanted_registry import WantedRegistry
from application.models.pricing.ports import PricingUnitOfWork
from application.models.pricing.wanted_prices import WantedPrices
from application.models.registry.models import entries as of_models
from application.models.registry.models.entries import ModelChange, ModelEntries
from application.models.registry.ports import LiveRegistry
from application.models.registry.providers import entries as of_providers
from application.models.registry.providers.entries import (
    ProviderChange,
    ProviderDraft,
    ProviderEntries,
)
from application.models.registry.routes import entries as of_routes
from application.models.registry.routes.entries import RouteEntries
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.prices import Prices
from domain.models.registry.model import ModelState
from domain.models.registry.provider import Provider
from domain.shared.errors import InvalidError


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRegistryCommand:
    """With ``prune`` what is not wanted goes; with ``dry_run`` nothing is kept of all this."""

    actor: Actor
    wanted: WantedRegistry
    prune: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRegistry:
    """Makes the registry of a team what somebody wrote down, all of it or nothing. What has been
    called is archived where it should go."""

    uow: PricingUnitOfWork
    providers: ProviderEntries
    models: ModelEntries
    routes: RouteEntries
    prices: WantedPrices
    live: LiveRegistry

    async def __call__(self, command: ApplyRegistryCommand) -> tuple[Difference, ...]:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            there = await standing(tx, actor.team_id)
            gone: list[Difference] = []
            if command.prune:
                gone = await self._pruning.routes_and_models(tx, actor, command.wanted)
            await let_go_of_aliases(tx, actor.team_id, command.wanted)
            providers = await self._enter_providers(tx, command)
            models = await self._enter_models(tx, command, there)
            created = {one.name for one in models if one.deed is Deed.CREATED}
            prices = await self._enter_prices(tx, command)
            routes = await self._enter_routes(tx, command, there)
            late: list[Difference] = []
            if command.prune:
                late = await self._pruning.unneeded_providers(tx, actor, command.wanted)
            # That a new model has a price is no change of it.
            changed_prices = [one for one in prices if one.name not in created]
            found = [*gone, *providers, *models, *changed_prices, *routes, *late]
            await self._check(tx, command, there)
            if not command.dry_run:
                await tx.commit()
        if not command.dry_run:
            await self.live.catch_up(actor.team_id)
        return tuple(found)

    @property
    def _pruning(self) -> Pruning:
        return Pruning(providers=self.providers, models=self.models, routes=self.routes)

    async def _enter_providers(
        self, tx: PricingUnitOfWork, command: ApplyRegistryCommand
    ) -> list[Difference]:
        actor = command.actor
        there = {one.name: one for one in await tx.providers.all(actor.team_id)}
        found: list[Difference] = []
        for draft in command.wanted.providers:
            old = there.get(draft.name)
            if old is None:
                with _told_of(command, "provider", draft.name):
                    await self.providers.add(tx, actor, draft)
                found.append(Difference(deed=Deed.CREATED, what="provider", name=draft.name))
                continue
            with _told_of(command, "provider", draft.name):
                new = await self.providers.change(tx, actor, old, _change_to(draft, old))
            if new != old:
                before, after = of_providers.recorded(old), of_providers.recorded(new)
                found.append(changed("provider", draft.name, before, after))
        return found

    async def _enter_models(
        self, tx: PricingUnitOfWork, command: ApplyRegistryCommand, there: Standing
    ) -> list[Difference]:
        actor, models = command.actor, there.models
        found: list[Difference] = []
        for draft in command.wanted.models:
            old = models.get(draft.name)
            if old is None:
                with _told_of(command, "model", draft.name):
                    await self.models.add(tx, actor, draft)
                found.append(Difference(deed=Deed.CREATED, what="model", name=draft.name))
                continue
            if old.state is ModelState.ARCHIVED:
                kept = await tx.models.get(actor.team_id, old.id)
                restored = ModelChange(state=ModelState.ENABLED)
                old = await self.models.change(tx, actor, kept, restored)
            members = {one.name: getattr(draft, one.name) for one in fields(draft)}
            members["upstream_name"] = draft.upstream_name or draft.name
            with _told_of(command, "model", draft.name):
                new = await self.models.change(tx, actor, old, ModelChange(**members))
            if new != models[draft.name]:
                before = of_models.recorded(models[draft.name])
                found.append(changed("model", draft.name, before, of_models.recorded(new)))
        return found

    async def _enter_prices(
        self, tx: PricingUnitOfWork, command: ApplyRegistryCommand
    ) -> list[Difference]:
        actor, wanted = command.actor, command.wanted.prices
        in_force = await self.prices.in_force(tx, actor.team_id)
        found: list[Difference] = []
        for model in await tx.models.all(actor.team_id):
            prices, before = wanted.get(model.name), in_force.get(model.id)
            if prices is not None and prices != before:
                await self.prices.set(tx, actor, model, prices)
                field = FieldDifference(
                    field="prices", before=_amounts(before), after=_amounts(prices)
                )
                found.append(
                    Difference(deed=Deed.CHANGED, what="model", name=model.name, fields=(field,))
                )
        return found

    async def _enter_routes(
        self, tx: PricingUnitOfWork, command: ApplyRegistryCommand, there: Standing
    ) -> list[Difference]:
        actor, routes = command.actor, there.routes
        found: list[Difference] = []
        for route in command.wanted.routes:
            old = routes.get(route.name)
            if old is None:
                with _told_of(command, "route", route.name):
                    await self.routes.add(tx, actor, route)
                found.append(Difference(deed=Deed.CREATED, what="route", name=route.name))
                continue
            with _told_of(command, "route", route.name):
                new = await self.routes.change(tx, actor, old, route)
            if new != old:
                before, after = of_routes.recorded(old.route), of_routes.recorded(new.route)
                found.append(changed("route", route.name, before, after))
        return found

    async def _check(
        self, tx: PricingUnitOfWork, command: ApplyRegistryCommand, there: Standing
    ) -> None:
        references, team_id = self.routes.references, command.actor.team_id
        providers = {one.id: one for one in await tx.providers.all(team_id)}
        models = {model.name: model for model in await tx.models.all(team_id)}
        for draft in command.wanted.models:
            with _told_of(command, "model", draft.name):
                model = models[draft.name]
                references.check_served(model, providers[model.provider_id])
        for route in command.wanted.routes:
            with _told_of(command, "route", route.name):
                await references.check(tx, team_id, route)
        await references.check_named(tx, team_id, there.names)


@contextmanager
def _told_of(command: ApplyRegistryCommand, what: str, name: str) -> Iterator[None]:
    """Say which of all that is wanted is wrong, and where that stands."""
    try:
        yield
    except InvalidError as error:
        line = command.wanted.lines.get((what, name))
        entry = f"The {what} '{name}'" if line is None else f"line {line}: {what} '{name}'"
        raise InvalidError(
            f"{entry}: {error.message}", param=error.param, errors=error.errors
        ) from error


def _amounts(prices: Prices | None) -> dict[str, str] | None:
    """What costs something, and where prices change with the size how often."""
    if prices is None:
        return None
    members = {name: getattr(prices, name) for name in Prices.__slots__ if name != "tiers"}
    amounts = {name: f"{amount:f}" for name, amount in members.items() if amount is not None}
    return amounts | ({"tiers": str(len(prices.tiers))} if prices.tiers else {})


def _change_to(draft: ProviderDraft, old: Provider) -> ProviderChange:
    """All that is not in the draft goes."""
    gone = dict.fromkeys((*old.configuration, *old.secret_keys))
    return ProviderChange(
        type=draft.type,
        configuration_and_secrets={**gone, **draft.configuration_and_secrets},
        is_enabled=draft.is_enabled,
    )
