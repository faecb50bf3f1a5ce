from collections.abc import Sequence
from typing import Protocol

from domain.models.served_model import ServedModel


class ModelCatalog(Protocol):
    """The models that are served, and by which deployment."""

    def find(self, name: str) -> ServedModel | None:
        """The model of that name or alias."""
        ...

    def all(self) -> Sequence[ServedModel]:
        """Every model, in the order of the configuration."""
        ...
