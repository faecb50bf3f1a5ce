from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from application.inference.closed_calls import ClosedCalls
from application.inference.ports import Ledger, OrphanedCalls, WriteAhead
from domain.inference.call import Call, CallStatus
from domain.shared.ids import CallId
from tests.fakes.gate import Gate


@dataclass(slots=True)
class LedgerRows:
    """The rows of all processes, in the order in which they were opened."""

    calls: dict[CallId, Call] = field(default_factory=dict)
    processes: dict[CallId, "InMemoryLedger"] = field(default_factory=dict)
    # Hear of each outcome, with what the call cost before: nothing, or what was held for it.
    followers: list[Callable[[Decimal, Call], None]] = field(default_factory=list)
    held_cost: Callable[[CallId], Decimal | None] = lambda _: None

    def write(self, call: Call) -> None:
        before = self.calls.get(call.id)
        cost = Decimal(0) if before is None else before.cost or Decimal(0)
        self.calls[call.id] = deepcopy(call)
        for follow in self.followers:
            follow(cost, call)

    def interrupt(self, call: Call, at: datetime) -> None:
        """Close the row of a call that is as good as dead, with what was held for it."""
        closed = deepcopy(call)
        closed.status = CallStatus.INTERRUPTED
        closed.settled_at = at
        closed.cost = self.held_cost(call.id) if call.held is None else call.held
        self.write(closed)


class InMemoryWriteAhead(WriteAhead):
    def __init__(self, sent: Gate, committed: Gate) -> None:
        self._sent = sent
        self._committed = committed

    @property
    def sent(self) -> Awaitable[None]:
        return self._sent.passed()

    @property
    def committed(self) -> Awaitable[None]:
        return self._committed.passed()


class InMemoryLedger(Ledger):
    """The ledger of one process; several share their rows by being given the same ``rows``.

    The gates ``sent`` and ``committed`` hold rows up or make them fail. What a caller does wrong
    (a row opened or settled twice, or settled without being opened) is listed in ``errors``.
    """

    def __init__(self, rows: LedgerRows | None = None, closed: ClosedCalls | None = None) -> None:
        self.rows = rows or LedgerRows()
        self.closed = closed or ClosedCalls()
        self.sent = Gate()
        self.committed = Gate()
        self.errors: list[str] = []
        self.undurable = 0
        self.alive = True

    def open(self, call: Call) -> WriteAhead:
        if call.status is not CallStatus.OPEN:
            self.errors.append(f"opened as {call.status}: {call.id}")
        self._insert(call)
        return InMemoryWriteAhead(self.sent, self.committed)

    def settle(self, call: Call) -> None:
        row = self.rows.calls.get(call.id)
        if row is None:
            self.errors.append(f"settled without being opened: {call.id}")
        elif row.status not in (CallStatus.OPEN, CallStatus.INTERRUPTED):
            self.errors.append(f"settled twice: {call.id}")
        elif call.status is CallStatus.OPEN:
            self.errors.append(f"settled without an outcome: {call.id}")
        else:
            self.rows.write(call)
            self.closed.tell(call.id, is_on_record=True)

    async def record(self, call: Call) -> None:
        if call.status is CallStatus.OPEN:
            self.errors.append(f"recorded without an outcome: {call.id}")
        self._insert(call)
        await self.committed.passed()

    async def flush(self, timeout_s: float) -> int:
        return self.undurable

    def die(self) -> None:
        """Be a process that was killed: its open rows are orphans now."""
        self.alive = False

    def the_row(self) -> Call:
        """The only row there is; fails the test if there are others or anything went wrong."""
        assert self.errors == []
        [row] = self.rows.calls.values()
        return row

    def _insert(self, call: Call) -> None:
        if call.id in self.rows.calls:
            self.errors.append(f"written twice: {call.id}")
        self.rows.write(call)
        self.rows.processes[call.id] = self


class InMemoryOrphanedCalls(OrphanedCalls):
    def __init__(self, rows: LedgerRows) -> None:
        self._rows = rows

    async def interrupt(self, at: datetime) -> int:
        orphans = [
            call
            for call in self._rows.calls.values()
            if call.status is CallStatus.OPEN and not self._rows.processes[call.id].alive
        ]
        for call in orphans:
            self._rows.interrupt(call, at)
        return len(orphans)
