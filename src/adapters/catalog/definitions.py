from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import ProviderDefinition
from domain.models.route import Route
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCatalog:
    """What the configuration says, before anything is built from it. ``source`` is the file that
    was read, or ``None`` for the embedded catalog."""

    providers: tuple[ProviderDefinition, ...]
    models: tuple[ServedModel, ...]
    routes: tuple[Route, ...] = ()
    source: Path | None = None
