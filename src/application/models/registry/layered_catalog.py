from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from application.models.ports import ModelCatalog
from application.operations.ports import ServedKinds
from domain.models.route import Route
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.ids import TeamId

Entry = ServedModel | Route


class ModelPrices(Protocol):
    """What models cost at the moment."""

    def priced(self, model: ServedModel, team_id: TeamId) -> ServedModel:
        """The model with the prices that a call of that team's is billed at."""
        ...

    def has_own(self, team_id: TeamId) -> bool:
        """Whether the team pays something else for models of the configuration than others."""
        ...


Ordered = TypeVar("Ordered", ServedModel, Route)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRegistry:
    """What a team serves by its registry."""

    models: tuple[ServedModel, ...] = ()
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class _View:
    """What a team sees: everything by the names that lead to it."""

    models: dict[str, ServedModel]
    routes: dict[str, Route]
    all_models: tuple[ServedModel, ...]
    all_routes: tuple[Route, ...]


NOTHING = ServedRegistry()


class LayeredCatalog(ModelCatalog, ServedKinds):
    """The registries of all teams over what the configuration has, at the prices in force. A view
    is made when it is first asked for after a change; teams that have nothing of their own share
    one."""

    def __init__(self, beneath: ModelCatalog, prices: ModelPrices) -> None:
        self._beneath = beneath
        self._prices = prices
        self._registries: dict[TeamId, ServedRegistry] = {}
        self._public: dict[TeamId, ServedRegistry] = {}
        self._views: dict[TeamId | None, _View] = {}

    def find(self, name: str, team_id: TeamId) -> ServedModel | None:
        view = self._views.get(team_id) or self._view(team_id)
        return view.models.get(name)

    def route(self, name: str, team_id: TeamId) -> Route | None:
        view = self._views.get(team_id) or self._view(team_id)
        return view.routes.get(name)

    def all(self, team_id: TeamId) -> Sequence[ServedModel]:
        return (self._views.get(team_id) or self._view(team_id)).all_models

    def routes(self, team_id: TeamId) -> Sequence[Route]:
        return (self._views.get(team_id) or self._view(team_id)).all_routes

    def kind_of(self, name: str, team_id: TeamId) -> ModelKind | None:
        found = self.find(name, team_id) or self.route(name, team_id)
        return None if found is None else found.kind

    def replace_registries(self, changed: Mapping[TeamId, ServedRegistry]) -> None:
        """Serve these instead of what those teams had; one of nothing is forgotten. Other teams
        keep their views where nothing public changes."""
        before = {team: self._public.get(team) for team in changed}
        for team, registry in changed.items():
            _put(self._registries, team, registry)
            _put(self._public, team, _public_of(registry))
        if any(self._public.get(team) != public for team, public in before.items()):
            self.forget_views()
        else:
            self._views = {team: view for team, view in self._views.items() if team not in changed}

    def forget_views(self) -> None:
        """Other prices are in force."""
        self._views = {}

    @property
    def registries(self) -> Mapping[TeamId, ServedRegistry]:
        return self._registries

    def _view(self, team_id: TeamId) -> _View:
        has_own = team_id in self._registries or self._prices.has_own(team_id)
        whose = team_id if has_own else None
        view = self._views.get(whose)
        if view is None:
            view = self._views[whose] = self._make(team_id)
        # A team that has nothing of its own finds the shared one without a detour next time.
        self._views[team_id] = view
        return view

    def _make(self, team_id: TeamId) -> _View:
        own = self._registries.get(team_id, NOTHING)
        others = [one for team, one in sorted(self._public.items()) if team != team_id]
        unpriced = [
            *_by_name(own.models),
            *_by_name(one for other in others for one in other.models),
            *self._beneath.all(team_id),
        ]
        models = [self._prices.priced(one, team_id) for one in unpriced]
        routes = [
            *_by_name(own.routes),
            *_by_name(one for other in others for one in other.routes),
            *self._beneath.routes(team_id),
        ]
        by_name: dict[str, Entry] = {}
        # The last that takes a name has it, so whoever comes first is entered last.
        ranked: list[Entry] = sorted((*models, *routes), key=lambda one: _rank(one, team_id))
        for entry in reversed(ranked):
            by_name |= dict.fromkeys(entry.names, entry)
        return _View(
            {name: one for name, one in by_name.items() if isinstance(one, ServedModel)},
            {name: one for name, one in by_name.items() if isinstance(one, Route)},
            tuple(one for one in models if by_name[one.name] is one),
            tuple(one for one in routes if by_name[one.name] is one),
        )


def _put(registries: dict[TeamId, ServedRegistry], team: TeamId, registry: ServedRegistry) -> None:
    if registry == NOTHING:
        registries.pop(team, None)
    else:
        registries[team] = registry


def _public_of(registry: ServedRegistry) -> ServedRegistry:
    return ServedRegistry(
        models=tuple(model for model in registry.models if model.is_public),
        routes=tuple(route for route in registry.routes if route.is_public),
    )


def _by_name(entries: Iterable[Ordered]) -> list[Ordered]:
    return sorted(entries, key=lambda entry: entry.name)


def _rank(entry: Entry, team_id: TeamId) -> tuple[int, str]:
    if entry.owner is None:
        return 2, ""
    return (0 if entry.owner == team_id else 1), entry.name
