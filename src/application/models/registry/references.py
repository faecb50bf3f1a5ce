"""Whether what the routes of a team name is there, as it stands inside a unit of work."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from application.models.ports import ModelCatalog
from application.models.registry.ports import ProviderConfigurations, RegistryUnitOfWork
from application.models.registry.served_to_all import named_by
from application.operations.ports import RuntimeSettings
from domain.models.registry.errors import ModelInUseError, RouteInUseError, wrong_fields
from domain.models.registry.model import Model, ModelState
from domain.models.registry.provider import Provider
from domain.models.registry.route_rules import Found, reference_problems, route_problems
from domain.models.registry.serving import served
from domain.models.route import Route
from domain.operations.model_settings import DEFAULT_OF_KIND
from domain.shared.errors import InvalidError
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    catalog: ModelCatalog
    configurations: ProviderConfigurations
    runtime: RuntimeSettings

    def check_served(self, model: Model, provider: Provider) -> None:
        """Raise ``InvalidError`` that names each field which a provider of that type cannot
        take."""
        is_here = self.configurations.runs_here(provider.type)
        described = served(model, provider, runs_here=is_here)
        problems = self.configurations.model_problems(provider.type, described)
        if problems:
            raise wrong_fields(problems)

    async def check_other_type(self, tx: RegistryUnitOfWork, provider: Provider) -> None:
        """Raise ``InvalidError`` if a model of the provider is none for its type."""
        for model in await tx.models.all(provider.team_id):
            if model.provider_id != provider.id or model.state is ModelState.ARCHIVED:
                continue
            try:
                self.check_served(model, provider)
            except InvalidError as error:
                why = f"does not fit the model '{model.name}': {error.message}"
                raise wrong_fields([("type", why)]) from error

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
        """Raise ``ConflictError`` if a route of the team, or a default of its, names one of these
        and cannot any more."""
        for name, reason in await self._broken(tx, team_id, names):
            raise ModelInUseError(name, reason)

    async def check_falling_back(
        self, tx: RegistryUnitOfWork, team_id: TeamId, names: Collection[str]
    ) -> None:
        """The same for the names of a route."""
        for name, reason in await self._broken(tx, team_id, names):
            raise RouteInUseError(name, reason)

    async def _broken(
        self, tx: RegistryUnitOfWork, team_id: TeamId, names: Collection[str]
    ) -> list[tuple[str, str]]:
        """What names one of these and cannot, with the name."""
        find = await self._finder(tx, team_id)
        broken: list[tuple[str, str]] = []
        for registered in await tx.routes.all(team_id):
            route = registered.route
            named = sorted(named_by(route) & set(names))
            if named and reference_problems(route, find):
                broken.append((named[0], f"is named by the route '{route.name}'"))
        for kind, setting in DEFAULT_OF_KIND.items():
            name = self.runtime.get(setting, team_id)
            if name is not None and name in names:
                found = find(name)
                if found is None or found.kind is not kind:
                    broken.append((name, f"is what the setting '{setting.name}' names"))
        return broken

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
