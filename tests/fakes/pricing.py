from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from application.models.pricing.ports import (
    KnownPrices,
    PriceBook,
    PriceBookMemory,
    PriceQuestion,
)
from domain.models.price_errors import PriceBookUnavailableError


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
