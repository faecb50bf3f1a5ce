from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from application.models.pricing.ports import (
    KnownPrices,
    PriceBook,
    PriceBookMemory,
    PriceOverrides,
    PriceQuestion,
    PricingUnitOfWork,
    ServedPrices,
)
from domain.models.errors import (
    PriceBookUnavailableError,
    PriceNotFoundError,
    PriceTakenError,
)
from domain.models.price_override import PriceOverride
from domain.models.price_schedule import PriceInForce
from domain.models.served_model import ServedModel
from domain.shared.ids import PriceId, TeamId
from tests.fakes.registry import InMemoryRegistry, InMemoryRegistryUnitOfWork


@dataclass(slots=True)
class InMemoryPriceBookMemory(PriceBookMemory):
    answers: dict[tuple[str, str], object] = field(default_factory=dict)

    async def recall(self, book: str, questions: Collection[str]) -> Mapping[str, object]:
        return {q: self.answers[book, q] for q in questions if (book, q) in self.answers}

    async def keep(self, book: str, answers: Mapping[str, object]) -> None:
        for question, answer in answers.items():
            self.answers.setdefault((book, question), answer)


@dataclass(slots=True)
class FixedPriceBook(PriceBook):
    """Knows what it is given, by upstream name; ``asked`` are all questions so far."""

    known: dict[str, KnownPrices] = field(default_factory=dict)
    asked: list[PriceQuestion] = field(default_factory=list)
    is_closed: bool = False

    async def look_up(
        self, questions: Collection[PriceQuestion]
    ) -> Mapping[PriceQuestion, KnownPrices]:
        self.asked += questions
        if self.is_closed:
            raise PriceBookUnavailableError("it is closed")
        return {q: self.known[q.upstream_name] for q in questions if q.upstream_name in self.known}


@dataclass(slots=True)
class FixedPrices(ServedPrices):
    """What every model costs every team."""

    in_force: PriceInForce

    def of(self, model: ServedModel, team_id: TeamId) -> PriceInForce:
        return self.in_force


class InMemoryPrices(PriceOverrides):
    def __init__(self, prices: dict[PriceId, PriceOverride]) -> None:
        self._prices = prices

    async def add(self, price: PriceOverride) -> None:
        if any(_same(price, other) for other in self._prices.values()):
            raise PriceTakenError
        self._prices[price.id] = price

    async def get(self, team_id: TeamId, price_id: PriceId) -> PriceOverride:
        found = self._prices.get(price_id)
        if found is None or found.team_id != team_id:
            raise PriceNotFoundError
        return found

    async def remove(self, price: PriceOverride) -> None:
        self._prices.pop(price.id, None)

    async def all(self, team_id: TeamId) -> Sequence[PriceOverride]:
        mine = (price for price in self._prices.values() if price.team_id == team_id)
        return sorted(mine, key=lambda price: (price.effective_from, price.id), reverse=True)


class InMemoryPricingUnitOfWork(InMemoryRegistryUnitOfWork, PricingUnitOfWork):
    def __init__(self, database: InMemoryRegistry | None = None) -> None:
        super().__init__(database)
        self.committed_prices: dict[PriceId, PriceOverride] = {}
        self._prices: dict[PriceId, PriceOverride] = {}

    async def __aenter__(self) -> Self:
        self._prices = dict(self.committed_prices)
        return await super().__aenter__()

    async def commit(self) -> None:
        await super().commit()
        self.committed_prices = dict(self._prices)

    @property
    def prices(self) -> InMemoryPrices:
        return InMemoryPrices(self._prices)


def _same(one: PriceOverride, other: PriceOverride) -> bool:
    return _what(one) == _what(other)


def _what(price: PriceOverride) -> tuple[object, ...]:
    return (
        price.team_id,
        price.model_id,
        price.provider,
        price.upstream_name,
        price.effective_from,
    )
