"""Whether what the routes of a team name is there, as it stands inside a unit of work."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from application.models.ports import ModelCatalog
from application.models.registry.ports import ProviderConfigurations, RegistryUnitOfWork
from application.models.registry.served_to_all import named_by
from domain.models.registry.errors import ModelInUseError, RouteInUseError, wrong_fields
from domain.models.registry.route_rules import Found, reference_problems, route_problems
from domain.models.registry.serving import served
from domain.models.route import Route
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    catalog: ModelCatalog
    configurations: ProviderConfigurations

    async def check(self, tx: RegistryUnitOfWork, team_id: TeamId, route: Route) -> None:
        """Raise ``InvalidError`` that names each field of the route that is wrong, in itself or in
        what it names."""
        find = await self._finder(tx, team_id)
        problems = [*route_problems(route), *reference_problems(route, find)]
        if problems:
            raise wrong_fields(problems)

    async def check_named(
        self, tx: RegistryUnitOfWork, team_id: TeamId, names: Collection[str]
    ) -> None:
        """Raise ``ConflictError`` if a route of the team names one of these and cannot any more."""
        broken = await self.broken_route(tx, team_id, names)
        if broken is not None:
            name, other = broken
            raise ModelInUseError(name, f"is named by the route '{other.name}'")

    async def check_falling_back(
        self, tx: RegistryUnitOfWork, team_id: TeamId, names: Collection[str]
    ) -> None:
        """The same for the names of a route."""
        broken = await self.broken_route(tx, team_id, names)
        if broken is not None:
            name, other = broken
            raise RouteInUseError(name, other.name)

    async def broken_route(
        self, tx: RegistryUnitOfWork, team_id: TeamId, names: Collection[str]
    ) -> tuple[str, Route] | None:
        """The first route that names one of these and cannot, with the name."""
        find = await self._finder(tx, team_id)
        for registered in await tx.routes.all(team_id):
            route = registered.route
            named = sorted(named_by(route) & set(names))
            if named and reference_problems(route, find):
                return named[0], route
        return None

    async def _finder(self, tx: RegistryUnitOfWork, team_id: TeamId) -> Callable[[str], Found]:
        providers = {one.id: one for one in await tx.providers.all(team_id)}
        own: dict[str, Found] = {}
        for model in await tx.models.all(team_id):
            provider = providers[model.provider_id]
            is_here = self.configurations.runs_here(provider.type)
            answering = served(model, provider, runs_here=is_here)
            own |= dict.fromkeys(model.names, answering)
        for registered in await tx.routes.all(team_id):
            own |= dict.fromkeys(registered.route.names, registered.route)

        def find(name: str) -> Found:
            if name in own:
                return own[name]
            # What is the team's own there was so before this unit of work.
            others = self.catalog.find(name, team_id) or self.catalog.route(name, team_id)
            return None if others is not None and others.owner == team_id else others

        return find
