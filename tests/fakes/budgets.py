"""The budgets in memory, with the rules of ``domain.inference.budget`` as they are written there.

They follow the rows of the ledger, as Postgres does by its triggers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from application.inference.allowance_ports import (
    AllotmentPart,
    Allotments,
    AllotmentWish,
    BudgetReader,
    Budgets,
)
from domain.identity.allowance import BudgetTerms, Subject
from domain.inference.budget import Budget, Hold, exhausted
from domain.inference.call import Call, CallStatus
from domain.shared.errors import UnavailableError
from domain.shared.ids import AllotmentId, CallId, TeamId
from tests.fakes.gate import Gate
from tests.fakes.inference import LedgerRows

TTL_S = 60.0
ZERO = Decimal(0)
_SMALL = Decimal("1e-6")

Place = tuple[TeamId, Subject]
Account = tuple[TeamId, Subject, datetime | None]


@dataclass(slots=True)
class BudgetBooks:
    """What all processes share; ``told`` are the thresholds that were told of, in order."""

    rows: LedgerRows
    terms: dict[Place, BudgetTerms] = field(default_factory=dict)
    accounts: dict[Account, Budget] = field(default_factory=dict)
    holds: dict[CallId, tuple[Hold, datetime]] = field(default_factory=dict)
    told: list[tuple[Subject, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows.followers.append(self.follow)
        self.rows.held_cost = self.held_cost

    def set(
        self, team_id: TeamId, subject: Subject, terms: BudgetTerms | None, at: datetime
    ) -> None:
        place = (team_id, subject)
        before = self.terms.pop(place, None)
        if terms is None or (before is not None and before.period is not terms.period):
            for account in [key for key in self.accounts if key[:2] == place]:
                del self.accounts[account]
        if terms is None:
            return
        self.terms[place] = terms
        for account, budget in self.accounts.items():
            if account[:2] == place:
                self.accounts[account] = _under(terms, budget)
        self.account(place, at)

    def account(self, place: Place, at: datetime) -> Budget:
        """The account of that moment; a new one begins with what the ledger and the holds say."""
        terms = self.terms[place]
        start = terms.period.start(at)
        if (*place, start) not in self.accounts:
            empty = Budget(subject=place[1], terms=terms, starts_at=start)
            held = sum((h.amount for h, _ in self._holds_of(place, start)), ZERO)
            settled = sum((c.cost or ZERO for c in self._calls_of(place, start)), ZERO)
            self.accounts[*place, start] = _under(terms, replace(empty, settled=settled, held=held))
        return self.accounts[*place, start]

    def bounding(self, hold: Hold) -> list[Place]:
        places = [(hold.team_id, subject) for subject in hold.subjects]
        return [place for place in places if place in self.terms]

    def take(self, hold: Hold, expires_at: datetime) -> None:
        if hold.call_id in self.holds:
            return
        places = self.bounding(hold)
        accounts = [self.account(place, hold.at) for place in places]
        full = [account for account in accounts if not account.has_room_for(hold.amount)]
        if full:
            least = min(full, key=lambda one: one.terms.amount - one.settled - one.held)
            raise exhausted(least, hold.amount)
        for place, account in zip(places, accounts, strict=True):
            self.accounts[*place, account.starts_at] = account.hold(hold.amount)
        self.holds[hold.call_id] = (hold, expires_at)

    def give_back(self, call_id: CallId) -> None:
        if call_id in self.holds:
            hold, _ = self.holds.pop(call_id)
            for place in self.bounding(hold):
                self.move(place, hold.at, held=-hold.amount)

    def move(
        self, place: Place, at: datetime, *, settled: Decimal = ZERO, held: Decimal = ZERO
    ) -> None:
        """A new account has what is moved already: it is in the ledger, or in the holds."""
        if (*place, self.terms[place].period.start(at)) not in self.accounts:
            self.account(place, at)
            return
        account = self.account(place, at)
        charged, crossed = account.give_back(-held).charge(settled)
        self.accounts[*place, account.starts_at] = charged
        self.told += [(place[1], threshold) for threshold in crossed]

    def follow(self, before: Decimal, call: Call) -> None:
        """A row of the ledger has an outcome, perhaps another one than it had."""
        if call.status is CallStatus.OPEN:
            return
        hold = _hold_of(call)
        cost = (call.cost or ZERO) - before
        for place in self.bounding(hold) if cost else ():
            self.move(place, call.created_at, settled=cost)
        if call.allotment_id is None:
            self.give_back(call.id)
        else:
            self.draw(call.allotment_id, cost)

    def draw(self, allotment_id: AllotmentId, amount: Decimal, *, is_rest: bool = False) -> None:
        """Take so much out of the allotment, or all that is there. It stays until nothing is left
        of it when its process gives back the rest."""
        key = CallId(allotment_id)
        if key not in self.holds:
            return
        allotment, expires_at = self.holds[key]
        drawn = min(amount, allotment.amount)
        if is_rest and drawn == allotment.amount:
            self.give_back(key)
            return
        self.holds[key] = (replace(allotment, amount=allotment.amount - drawn), expires_at)
        for place in self.bounding(allotment):
            self.move(place, allotment.at, held=-drawn)

    def held_cost(self, call_id: CallId) -> Decimal | None:
        found = self.holds.get(call_id)
        return None if found is None else found[0].amount

    def _holds_of(self, place: Place, start: datetime | None) -> Iterable[tuple[Hold, datetime]]:
        period = self.terms[place].period
        for hold, expires_at in self.holds.values():
            if place in self.bounding(hold) and period.start(hold.at) == start:
                yield hold, expires_at

    def _calls_of(self, place: Place, start: datetime | None) -> Iterable[Call]:
        period = self.terms[place].period
        for call in self.rows.calls.values():
            if place in self.bounding(_hold_of(call)) and period.start(call.created_at) == start:
                yield call


class InMemoryBudgets(Budgets):
    """The budgets as one process has them; the gate ``taking`` holds its holds up, ``renewing`` its
    renewals."""

    def __init__(self, books: BudgetBooks, *, ttl_s: float = TTL_S) -> None:
        self.books = books
        self.taking = Gate()
        self.renewing = Gate()
        self.running: dict[CallId, Hold] = {}
        self._ttl = timedelta(seconds=ttl_s)

    async def hold(self, hold: Hold) -> None:
        await self.taking.passed()
        self.note_or_refuse(hold)

    def note(self, hold: Hold) -> None:
        self.note_or_refuse(hold)

    def note_or_refuse(self, hold: Hold) -> None:
        self.books.take(hold, hold.at + self._ttl)
        self.running[hold.call_id] = hold

    def settle(self, hold: Hold, call: Call) -> None:
        if not call.cost:
            self.release(hold)
        self.running.pop(hold.call_id, None)

    def release(self, hold: Hold) -> None:
        if self.running.pop(hold.call_id, None) is not None:
            self.books.give_back(hold.call_id)

    async def renew(self, at: datetime) -> int:
        looked = dict(self.running)
        await self.renewing.passed()
        for call_id, hold in looked.items():
            if call_id not in self.running:
                continue
            row = self.books.rows.calls.get(call_id)
            if call_id in self.books.holds:
                self.books.holds[call_id] = (hold, at + self._ttl)
            elif row is None or row.status is CallStatus.OPEN:
                for place in self.books.bounding(hold):
                    self.books.account(place, hold.at)
                    self.books.move(place, hold.at, held=hold.amount)
                self.books.holds[call_id] = (hold, at + self._ttl)
        return len(looked)

    async def expire(self, at: datetime) -> int:
        for call_id, (hold, until) in self.books.holds.items():
            if until > at + 10 * self._ttl:
                self.books.holds[call_id] = (hold, at + self._ttl)
        expired = [call_id for call_id, (_, until) in self.books.holds.items() if until <= at]
        for call_id in expired:
            for row in list(self.books.rows.calls.values()):
                is_held = call_id in {row.id, row.allotment_id}
                if is_held and row.status is CallStatus.OPEN:
                    self.books.rows.interrupt(row, at)
            self.books.give_back(call_id)
        return len(expired)


class InMemoryAllotments(Allotments):
    """The allotments as one process has them. A dead process reaches nothing. The gate ``asked``
    holds up what it asks for, ``answered`` the answers to that."""

    def __init__(self, books: BudgetBooks, *, ttl_s: float = TTL_S) -> None:
        self.books = books
        self.asked = Gate()
        self.answered = Gate()
        self.alive = True
        self._ttl = timedelta(seconds=ttl_s)

    async def allot(self, wish: AllotmentWish) -> Decimal:
        await self.asked.passed()
        hold = Hold(
            call_id=CallId(wish.id),
            team_id=wish.team_id,
            user_id=wish.user_id,
            key_id=wish.key_id,
            amount=wish.wanted,
            at=wish.at,
        )
        accounts = [self.books.account(place, wish.at) for place in self.books.bounding(hold)]
        rooms = [
            ((one.terms.amount - one.settled - one.held) / 16).quantize(_SMALL, ROUND_DOWN)
            for one in accounts
            if one.terms.hard
        ]
        granted = min(wish.wanted, *rooms) if rooms else wish.wanted
        if granted < wish.least or granted <= 0:
            return ZERO
        self.books.take(replace(hold, amount=granted), wish.at + self._ttl)
        await self.answered.passed()
        return granted

    async def give_back(self, parts: Sequence[AllotmentPart]) -> None:
        if not self.alive:
            raise UnavailableError("This process is dead.")
        for part in parts:
            self.books.draw(part.id, part.amount, is_rest=True)

    async def renew(
        self, allotments: Sequence[tuple[TeamId, AllotmentId]], at: datetime
    ) -> frozenset[AllotmentId]:
        holds, gone = self.books.holds, set()
        for _, allotment_id in allotments:
            key = CallId(allotment_id)
            if key in holds:
                holds[key] = (holds[key][0], at + self._ttl)
            else:
                gone.add(allotment_id)
        return frozenset(gone)


class InMemoryBudgetReader(BudgetReader):
    def __init__(self, books: BudgetBooks) -> None:
        self._books = books

    async def find(self, team_id: TeamId, subject: Subject, at: datetime) -> Budget | None:
        place = (team_id, subject)
        return self._books.account(place, at) if place in self._books.terms else None


def _under(terms: BudgetTerms, account: Budget) -> Budget:
    """The account with other terms; thresholds that lie behind it are not told of any more."""
    fresh = replace(account, terms=terms, threshold=0)
    passed, _ = fresh.charge(ZERO)
    return passed


def _hold_of(call: Call) -> Hold:
    return Hold(
        call_id=call.id,
        team_id=call.team_id,
        user_id=call.user_id,
        key_id=call.key_id,
        amount=ZERO,
        at=call.created_at,
    )
