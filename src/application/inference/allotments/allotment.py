from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.identity.allowance import BudgetTerms
from domain.inference.budget import Hold
from domain.shared.ids import AllotmentId, TeamId

_NOTHING = Decimal(0)


@dataclass(slots=True, kw_only=True, eq=False)
class Allotment:
    """What this process has set aside for calls of one caller, as it sees it: ``free`` is neither
    held for a call nor spent. In the database it is never less than what is free and what is held
    of it, since a call's hold is not free before the ledger has its outcome, with which its cost
    leaves the allotment.

    It is good for calls that are made between ``opens`` and ``closes``, under the ``terms`` for
    which it was asked.
    """

    id: AllotmentId
    team_id: TeamId
    terms: tuple[BudgetTerms, ...]
    amount: Decimal
    free: Decimal
    opens: datetime
    closes: datetime
    since: float
    running: int = 0
    is_open: bool = True
    # Since somebody looked.
    was_used: bool = True

    def is_for(self, hold: Hold) -> bool:
        return self.opens <= hold.at < self.closes and hold.terms == self.terms

    @property
    def runs_dry(self) -> bool:
        return self.free * 4 < self.amount

    def take(self, amount: Decimal) -> None:
        self.free -= amount
        self.running += 1
        self.was_used = True

    def end(self, unspent: Decimal) -> None:
        """One of its calls has ended and left so much of its hold."""
        self.free += unspent
        self.running -= 1

    def rest(self) -> Decimal:
        """What nobody needs any more; it is not there a second time."""
        rest = max(self.free, _NOTHING)
        self.free -= rest
        return rest
