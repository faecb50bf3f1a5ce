from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.providers.definition import ProviderDefinition
from domain.models.route import Route
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCatalog:
    """What the configuration says, before anything is built from it. ``types`` are the
    types of its providers by name; ``source`` is the file that was read, or ``None`` for the
    embedded catalog."""

    providers: tuple[ProviderDefinition, ...]
    models: tuple[ServedModel, ...]
    routes: tuple[Route, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    source: Path | None = None
