from collections.abc import Sequence

from adapters.catalog.definitions import LoadedCatalog
from application.models.ports import ModelCatalog
from domain.models.served_model import ServedModel


class FileModelCatalog(ModelCatalog):
    """The models of the configuration, which does not change while the server runs."""

    def __init__(self, catalog: LoadedCatalog) -> None:
        self._models = catalog.models
        self._by_name = {name: model for model in catalog.models for name in model.names}

    def find(self, name: str) -> ServedModel | None:
        return self._by_name.get(name)

    def all(self) -> Sequence[ServedModel]:
        return self._models
