from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from application.models.registry.ports import RegistryUnitOfWork
from domain.models.price_override import PriceOverride
from domain.models.price_schedule import DatedPrices, PriceInForce
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.ids import PriceId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuestion:
    """A deployment whose price is wanted. ``base_url`` is where its provider is, as far as that has
    been said."""

    provider_type: str
    base_url: str | None
    upstream_name: str
    kind: ModelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPrices:
    """What is publicly known of a model's price. ``entry`` is what the book calls it;
    ``not_expressed`` are the things that its provider bills and that Stoa does not count."""

    entry: str
    schedule: tuple[DatedPrices, ...]
    context_window: int | None = None
    not_expressed: tuple[str, ...] = ()


class PriceBook(Protocol):
    """The prices that providers publish."""

    async def look_up(
        self, questions: Collection[PriceQuestion]
    ) -> Mapping[PriceQuestion, KnownPrices]:
        """What is not known is not in the answer; a price of zero is none. Raises
        ``PriceBookUnavailableError`` when the book cannot be read."""
        ...


class PriceBookMemory(Protocol):
    """What the price data said, whichever node asked it, for each version of the data."""

    async def recall(self, book: str, questions: Collection[str]) -> Mapping[str, object]:
        """The answers that are known, by question; ``None`` is one too."""
        ...

    async def keep(self, book: str, answers: Mapping[str, object]) -> None:
        """What is known already stays."""
        ...


class PriceOverrides(Protocol):
    """The prices that teams have set, inside a unit of work."""

    async def add(self, price: PriceOverride) -> None:
        """Raises ``PriceTakenError`` for a second one of a model from the same moment on."""
        ...

    async def get(self, team_id: TeamId, price_id: PriceId) -> PriceOverride:
        """Raises ``PriceNotFoundError``, also for another team's."""
        ...

    async def remove(self, price: PriceOverride) -> None: ...

    async def all(self, team_id: TeamId) -> Sequence[PriceOverride]:
        """The latest first."""
        ...


class PricingUnitOfWork(RegistryUnitOfWork, Protocol):
    @property
    def prices(self) -> PriceOverrides: ...


class ServedPrices(Protocol):
    """What calls are billed at in this moment."""

    def of(self, model: ServedModel, team_id: TeamId) -> PriceInForce:
        """What a call of that team's costs, and where that comes from."""
        ...
