"""Holds without waiting: those of a busy caller come out of an amount that was set aside before."""

import asyncio
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from application.inference.allotments.allotment import Allotment
from application.inference.allotments.allotment_stock import AllotmentStock
from application.inference.allowance_ports import Budgets
from application.inference.closed_calls import ClosedCalls
from domain.inference.budget import Hold
from domain.inference.call import Call
from domain.shared.errors import BudgetExhaustedError
from domain.shared.ids import AllotmentId, CallId

STOP_S = 1.0
_NOTHING = Decimal(0)


class AllottedBudgets(Budgets):
    """Lets the holds of callers who make many calls come out of their allotments. What those have
    no room for goes to the accounts themselves, as does every call that is close to the end of its
    budget: an allotment is a small part of the room that is left."""

    def __init__(self, budgets: Budgets, stock: AllotmentStock, closed: ClosedCalls) -> None:
        self._budgets = budgets
        self._stock = stock
        # What the calls that run hold something of, and what those leave whose outcome the ledger
        # does not have yet: should this process die, they cost what was held for them.
        self._drawn: dict[CallId, Allotment] = {}
        self._ending: dict[CallId, tuple[Allotment, Decimal]] = {}
        self._all_ended = asyncio.Event()
        closed.listen(self._on_closed)

    async def stop(self) -> None:
        """Give back what no call needs; the rest expires."""
        if self._ending:
            self._all_ended.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_ended.wait(), STOP_S)
        await self._stock.stop()

    async def hold(self, hold: Hold) -> AllotmentId | None:
        allotment = self._stock.take(hold)
        if allotment is not None:
            self._drawn[hold.call_id] = allotment
            return allotment.id
        try:
            return await self._budgets.hold(hold)
        except BudgetExhaustedError:
            if not await self._stock.give_back_unused(hold.team_id):
                raise
        return await self._budgets.hold(hold)

    def note(self, hold: Hold) -> AllotmentId | None:
        allotment = self._stock.take(hold)
        if allotment is None:
            return self._budgets.note(hold)
        self._drawn[hold.call_id] = allotment
        return allotment.id

    def settle(self, hold: Hold, call: Call) -> None:
        allotment = self._drawn.pop(hold.call_id, None)
        if allotment is None:
            self._budgets.settle(hold, call)
        else:
            self._ending[hold.call_id] = allotment, hold.amount - (call.cost or _NOTHING)

    def release(self, hold: Hold) -> None:
        allotment = self._drawn.pop(hold.call_id, None)
        if allotment is None:
            self._budgets.release(hold)
        else:
            self._stock.end(allotment, hold.amount)

    def _on_closed(self, call_id: CallId, *, is_on_record: bool) -> None:
        ending = self._ending.pop(call_id, None)
        if ending is not None:
            allotment, unspent = ending
            # What nobody has on record is held until it expires.
            self._stock.end(allotment, unspent if is_on_record else _NOTHING)
        if not self._ending:
            self._all_ended.set()

    async def renew(self, at: datetime) -> int:
        return await self._budgets.renew(at) + await self._stock.renew(at)

    async def expire(self, at: datetime) -> int:
        return await self._budgets.expire(at)
