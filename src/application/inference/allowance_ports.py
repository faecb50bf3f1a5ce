"""What the data plane needs from outside to bound its callers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from domain.identity.allowance import Subject
from domain.inference.budget import Budget, Hold
from domain.inference.call import Call
from domain.inference.rate import Demand, Standings
from domain.shared.ids import AllotmentId, KeyId, TeamId, UserId


class RateLimits(Protocol):
    """The counters of all limits, shared by all processes. Each moves on the counters' own clock,
    so that those of the processes need not agree."""

    async def take(self, demand: Demand) -> Standings:
        """Take one request, the tokens and a place for each subject of the demand: of all, or of
        none. Returns what remains. Raises ``RateLimitedError`` where there is not enough, and
        ``UnavailableError`` when the counters cannot be reached.

        Nothing stays taken when it raises or is cancelled, and a process that dies gives its
        places back.
        """
        ...

    def settle(self, demand: Demand, tokens: int | None) -> None:
        """What was taken has ended and used that many tokens (``None``: nobody knows, so that what
        was set aside stays spent). Never blocks and never fails."""
        ...

    def release(self, demand: Demand) -> None:
        """What was taken never happened: give it all back. Never blocks and never fails."""
        ...

    async def look(self, demand: Demand) -> Standings:
        """What remains, with nothing taken. Raises ``UnavailableError``."""
        ...


class Budgets(Protocol):
    """The accounts of all budgets, shared by all processes.

    What a call has cost is charged by the ledger's row of its outcome, in the same transaction, and
    its hold given back with it: money is never counted twice and never forgotten. A hold that its
    process does not renew expires. If its call has no outcome by then, the row becomes
    ``interrupted`` and costs what was held, until a late outcome says better.
    """

    async def hold(self, hold: Hold) -> AllotmentId | None:
        """Set the amount aside in every budget that bounds the call: in all, or in none. Raises
        ``BudgetExhaustedError`` when a hard one has no room, and ``UnavailableError`` when the
        accounts cannot be reached. Nothing stays held when it raises or is cancelled.

        Returns the allotment that it came out of, if it did: the call's row has to name it and the
        amount.
        """
        ...

    def note(self, hold: Hold) -> AllotmentId | None:
        """Set the amount aside as soon as that can be, for a call that only soft budgets bound.
        Never blocks and never fails. Returns what ``hold`` does."""
        ...

    def settle(self, hold: Hold, call: Call) -> None:
        """The call has the outcome that its row in the ledger is about to show. Never blocks and
        never fails."""
        ...

    def release(self, hold: Hold) -> None:
        """The call was never made, or cost nothing: give the hold back now. Never blocks and never
        fails."""
        ...

    async def renew(self, at: datetime) -> int:
        """Keep the holds of this process' calls from expiring, and make those anew that a crash of
        the database lost. Returns how many there are. Raises ``UnavailableError``."""
        ...

    async def expire(self, at: datetime) -> int:
        """Give back every hold whose time is over, of whatever process, and return how many there
        were. Raises ``UnavailableError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AllotmentWish:
    """An amount for the calls that one caller makes on the day of ``at``: what is ``wanted``, or
    less, but not less than the ``least``."""

    id: AllotmentId
    team_id: TeamId
    user_id: UserId | None
    key_id: KeyId | None
    wanted: Decimal
    least: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AllotmentPart:
    id: AllotmentId
    team_id: TeamId
    amount: Decimal


class Allotments(Protocol):
    """Amounts that are set aside in the accounts of budgets for calls that are still to come.

    What a call costs that has one is taken out of it by the ledger's row of the outcome, in the
    transaction that charges it. An allotment expires as a hold does; its calls that have no outcome
    by then become ``interrupted`` and cost what was held for them. All methods raise
    ``UnavailableError``; whether what they were asked for has happened is then unknown.
    """

    async def allot(self, wish: AllotmentWish) -> Decimal:
        """Set aside what is wanted, but no more than a sixteenth of the room in the tightest hard
        budget. Returns how much it is, which may be nothing."""
        ...

    async def give_back(self, parts: Sequence[AllotmentPart]) -> None:
        """Make the allotments smaller. Must not be repeated when it fails: what has not been given
        back expires."""
        ...

    async def renew(
        self, allotments: Sequence[tuple[TeamId, AllotmentId]], at: datetime
    ) -> frozenset[AllotmentId]:
        """Keep them from expiring. Returns those that are gone already."""
        ...


class BudgetReader(Protocol):
    async def find(self, team_id: TeamId, subject: Subject, at: datetime) -> Budget | None:
        """The account of the subject's budget in the period of that moment, or ``None`` where it
        has no budget."""
        ...
