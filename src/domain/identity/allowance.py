"""How much a team, a user or a key may use."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import FieldError, InvalidError

MAX_RATE = 1_000_000_000
MAX_AMOUNT = Decimal(1_000_000_000)
# US dollars with this many places after the point.
AMOUNT_PLACES = 6


class SubjectKind(StrEnum):
    TEAM = "team"
    USER = "user"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom limits and a budget are set on, within a team."""

    kind: SubjectKind
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Requests and tokens per minute, and calls at the same time; ``None`` does not limit.

    Raises ``InvalidError`` that names the member.
    """

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None

    def __post_init__(self) -> None:
        for name in ("rpm", "tpm", "concurrency"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= MAX_RATE:
                raise _wrong(f"limits.{name}", f"must be between 1 and {MAX_RATE}")


class BudgetPeriod(StrEnum):
    """Periods begin at midnight UTC, weeks on Monday; ``total`` never starts over."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"

    def start(self, at: datetime) -> datetime | None:
        """When the period of that moment began."""
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is BudgetPeriod.DAY:
            return midnight
        if self is BudgetPeriod.WEEK:
            return midnight - timedelta(days=midnight.weekday())
        return midnight.replace(day=1) if self is BudgetPeriod.MONTH else None

    def end(self, at: datetime) -> datetime | None:
        """When the next period begins."""
        start = self.start(at)
        if start is None:
            return None
        if self is BudgetPeriod.MONTH:
            return (start + timedelta(days=31)).replace(day=1)
        return start + timedelta(days=1 if self is BudgetPeriod.DAY else 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetTerms:
    """``amount`` US dollars per period. A hard budget refuses what it has no room for; a soft one
    only tells. Raises ``InvalidError`` that names the member."""

    amount: Decimal
    period: BudgetPeriod
    hard: bool = True

    def __post_init__(self) -> None:
        if not (self.amount.is_finite() and 0 <= self.amount <= MAX_AMOUNT):
            raise _wrong("budget.amount", f"must be between 0 and {MAX_AMOUNT}")
        if self.amount != round(self.amount, AMOUNT_PLACES):
            raise _wrong("budget.amount", f"must have at most {AMOUNT_PLACES} decimal places")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is set on one subject; what is ``None`` does not restrict it."""

    subject: Subject
    limits: Limits | None = None
    budget: BudgetTerms | None = None


def _wrong(field: str, message: str) -> InvalidError:
    return InvalidError(
        f"'{field}' {message}.", param=field, errors=(FieldError(field, message, "out_of_range"),)
    )
