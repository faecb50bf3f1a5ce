from datetime import datetime
from typing import Self

from msgspec import Struct

from adapters.http.calls.schemas import money
from domain.identity.allowance import BudgetPeriod
from domain.inference.budget import Budget


class BudgetView(Struct, kw_only=True):
    """A budget in its present period, in US dollars: what its calls have cost (`settled`), what is
    set aside for those that run and for the next ones of callers who make many (`held`), and what
    is left. `resets_at` is null where the period is `total`."""

    amount: str
    period: BudgetPeriod
    settled: str
    held: str
    remaining: str
    resets_at: datetime | None

    @classmethod
    def of(cls, budget: Budget, at: datetime) -> Self:
        terms = budget.terms
        return cls(
            amount=money(terms.amount),
            period=terms.period,
            settled=money(budget.settled),
            held=money(budget.held),
            remaining=money(budget.remaining),
            resets_at=terms.period.end(at),
        )
