from dataclasses import dataclass

from application.models.registry.models.entries import ModelDraft
from application.models.registry.providers.entries import ProviderDraft
from domain.models.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRegistry:
    """What a team's registry shall have; models name their providers."""

    providers: tuple[ProviderDraft, ...]
    models: tuple[ModelDraft, ...]
    routes: tuple[Route, ...]
