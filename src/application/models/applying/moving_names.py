"""Names that go from one entry to another while a registry is made what somebody wrote down."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from application.models.applying.wanted_registry import WantedRegistry
from application.models.registry.models.entries import ModelChange
from application.models.registry.ports import RegistryUnitOfWork
from domain.models.registry.model import Model
from domain.models.registry.registered_route import RegisteredRoute
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is before anything changes, by name."""

    models: Mapping[str, Model]
    routes: Mapping[str, RegisteredRoute]

    @property
    def names(self) -> set[str]:
        of_models = {name for model in self.models.values() for name in model.names}
        return of_models | {name for one in self.routes.values() for name in one.route.names}


async def standing(tx: RegistryUnitOfWork, team_id: TeamId) -> Standing:
    return Standing(
        {model.name: model for model in await tx.models.all(team_id)},
        {route.name: route for route in await tx.routes.all(team_id)},
    )


async def let_go_of_aliases(
    tx: RegistryUnitOfWork, team_id: TeamId, wanted: WantedRegistry
) -> None:
    """Take away the aliases that entries shall not have any more, so that others can have them in
    whatever order they come. What becomes of the entries is recorded when they are entered."""
    models = {draft.name: draft.aliases for draft in wanted.models}
    for model in await tx.models.all(team_id):
        kept = _kept(model.aliases, models.get(model.name))
        if kept != model.aliases:
            await tx.models.save(replace(model, aliases=kept))
    routes = {route.name: route.aliases for route in wanted.routes}
    for registered in await tx.routes.all(team_id):
        route = registered.route
        kept = _kept(route.aliases, routes.get(route.name))
        if kept != route.aliases:
            await tx.routes.save(replace(registered, route=replace(route, aliases=kept)))


def names_in(wanted: WantedRegistry) -> frozenset[str]:
    of_models = {name for draft in wanted.models for name in (draft.name, *draft.aliases)}
    return frozenset(of_models | {name for route in wanted.routes for name in route.names})


def making_way(model: Model, claimed: Collection[str], taken: Iterable[str]) -> ModelChange | None:
    """How a model that is kept for its calls leaves its names to others; ``None`` if it need
    not."""
    if not any(name in claimed for name in model.names):
        return None
    aliases = tuple(alias for alias in model.aliases if alias not in claimed)
    if model.name not in claimed:
        return ModelChange(aliases=aliases)
    others = {*claimed, *taken}
    numbered = (f"{model.name}-archived-{number}" for number in range(2, len(others) + 3))
    free = next(name for name in (f"{model.name}-archived", *numbered) if name not in others)
    return ModelChange(name=free, aliases=aliases)


def _kept(aliases: tuple[str, ...], wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    return aliases if wanted is None else tuple(alias for alias in aliases if alias in wanted)
