from collections.abc import Sequence
from typing import TypeVar

from application.models.ports import ModelCatalog
from application.operations.ports import ServedKinds
from domain.models.route import Route
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.ids import TeamId

Entry = TypeVar("Entry", ServedModel, Route)


class InMemoryModelCatalog(ModelCatalog, ServedKinds):
    def __init__(self, *models: ServedModel, routes: Sequence[Route] = ()) -> None:
        self._models = models
        self._routes = tuple(routes)

    def find(self, name: str, team_id: TeamId) -> ServedModel | None:
        return _seen(self._models, name, team_id)

    def route(self, name: str, team_id: TeamId) -> Route | None:
        return _seen(self._routes, name, team_id)

    def all(self, team_id: TeamId) -> Sequence[ServedModel]:
        return _all_seen(self._models, team_id)

    def routes(self, team_id: TeamId) -> Sequence[Route]:
        return _all_seen(self._routes, team_id)

    def kind_of(self, name: str, team_id: TeamId) -> ModelKind | None:
        found = self.find(name, team_id) or self.route(name, team_id)
        return None if found is None else found.kind


def _all_seen(entries: Sequence[Entry], team_id: TeamId) -> Sequence[Entry]:
    seen = [entry for entry in entries if entry.owner in {team_id, None} or entry.is_public]
    return sorted(seen, key=lambda entry: _rank(entry, team_id))


def _rank(entry: ServedModel | Route, team_id: TeamId) -> tuple[int, str]:
    if entry.owner is None:
        return 2, ""
    return (0 if entry.owner == team_id else 1), entry.name


def _seen(entries: Sequence[Entry], name: str, team_id: TeamId) -> Entry | None:
    return next((e for e in _all_seen(entries, team_id) if name in e.names), None)
