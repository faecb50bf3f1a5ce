from collections.abc import Sequence

from adapters.catalog.definitions import LoadedCatalog
from application.models.ports import ModelCatalog
from domain.models.route import Route
from domain.models.served_model import ServedModel
from domain.shared.ids import TeamId


class FileModelCatalog(ModelCatalog):
    """The models of the configuration, which does not change while the server runs."""

    def __init__(self, catalog: LoadedCatalog) -> None:
        self._models = catalog.models
        self._routes = catalog.routes
        self._routes_by_name = {name: route for route in catalog.routes for name in route.names}
        self._by_name = {name: model for model in catalog.models for name in model.names}

    def find(self, name: str, team_id: TeamId) -> ServedModel | None:
        return self._by_name.get(name)

    def route(self, name: str, team_id: TeamId) -> Route | None:
        return self._routes_by_name.get(name)

    def all(self, team_id: TeamId) -> Sequence[ServedModel]:
        return self._models

    def routes(self, team_id: TeamId) -> Sequence[Route]:
        return self._routes
