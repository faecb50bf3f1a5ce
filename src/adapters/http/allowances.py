"""How limits and budgets look in the bodies and views of whatever has them."""

from decimal import Decimal
from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.http.calls.schemas import money
from application.shared import unset
from domain.identity.allowance import (
    AMOUNT_PLACES,
    MAX_RATE,
    Allowance,
    BudgetPeriod,
    BudgetTerms,
    Limits,
)

Rate = Annotated[int, Meta(ge=1, le=MAX_RATE)]
Amount = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9]{{1,10}}(\.[0-9]{{1,{AMOUNT_PLACES}}})?$",
        description="US dollars, such as `12.50`.",
    ),
]


class LimitsBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Requests and tokens per minute, and calls at the same time; null does not limit."""

    rpm: Rate | None = None
    tpm: Rate | None = None
    concurrency: Rate | None = None

    def to_limits(self) -> Limits:
        return Limits(rpm=self.rpm, tpm=self.tpm, concurrency=self.concurrency)


class BudgetBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """US dollars per period. A hard budget refuses what it has no room for; a soft one only tells.
    Periods begin at midnight UTC, weeks on Monday; `total` never starts over."""

    amount: Amount
    period: BudgetPeriod
    hard: bool = True

    def to_terms(self) -> BudgetTerms:
        return BudgetTerms(amount=Decimal(self.amount), period=self.period, hard=self.hard)


class LimitsView(Struct, kw_only=True):
    """Requests and tokens per minute, and calls at the same time; null does not limit."""

    rpm: int | None
    tpm: int | None
    concurrency: int | None

    @classmethod
    def of(cls, limits: Limits) -> Self:
        return cls(rpm=limits.rpm, tpm=limits.tpm, concurrency=limits.concurrency)


class BudgetTermsView(Struct, kw_only=True):
    """`amount` US dollars per period."""

    amount: str
    period: BudgetPeriod
    hard: bool

    @classmethod
    def of(cls, terms: BudgetTerms) -> Self:
        return cls(amount=money(terms.amount), period=terms.period, hard=terms.hard)


LimitsChange = LimitsBody | UnsetType | None
BudgetChange = BudgetBody | UnsetType | None


def limits_of(body: LimitsChange) -> Limits | unset.UnsetType | None:
    """The member `limits` of a partial update: left out, null, or what it shall be."""
    if body is UNSET:
        return unset.UNSET
    return None if body is None else body.to_limits()


def terms_of(body: BudgetChange) -> BudgetTerms | unset.UnsetType | None:
    """The member `budget` of a partial update: left out, null, or what it shall be."""
    if body is UNSET:
        return unset.UNSET
    return None if body is None else body.to_terms()


def limits_view(allowance: Allowance) -> LimitsView | None:
    return None if allowance.limits is None else LimitsView.of(allowance.limits)


def budget_view(allowance: Allowance) -> BudgetTermsView | None:
    return None if allowance.budget is None else BudgetTermsView.of(allowance.budget)
