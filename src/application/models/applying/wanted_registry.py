from collections.abc import Mapping
from dataclasses import dataclass, field

from application.models.registry.models.entries import ModelDraft
from application.models.registry.providers.entries import ProviderDraft
from domain.models.prices import Prices
from domain.models.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRegistry:
    """What a team's registry shall have; models name their providers. ``prices`` are by the names
    of the models; what is known of the price of the others stays. ``lines`` are those where the
    entries begin in what somebody wrote, by what each is and its name."""

    providers: tuple[ProviderDraft, ...]
    models: tuple[ModelDraft, ...]
    routes: tuple[Route, ...]
    prices: Mapping[str, Prices] = field(default_factory=dict)
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
