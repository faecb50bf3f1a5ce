from collections.abc import Sequence

from application.models.ports import ModelCatalog
from domain.models.served_model import ServedModel


class InMemoryModelCatalog(ModelCatalog):
    def __init__(self, *models: ServedModel) -> None:
        self._models = models

    def find(self, name: str) -> ServedModel | None:
        return next((model for model in self._models if name in model.names), None)

    def all(self) -> Sequence[ServedModel]:
        return self._models
