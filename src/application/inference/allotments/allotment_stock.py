"""What this process has set aside for busy callers, and how it comes and goes."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import structlog

from application.inference.allotments.allotment import Allotment
from application.inference.allotments.caller import DEFAULT_RULES, AllotmentRules, Caller
from application.inference.allowance_ports import AllotmentPart, Allotments, AllotmentWish
from application.shared.ports import Clock, IdGenerator
from domain.inference.budget import Hold
from domain.shared.errors import UnavailableError
from domain.shared.ids import AllotmentId, KeyId, TeamId, UserId

log = structlog.get_logger()

# An allotment that nobody used for so long, or twice that, is given back.
TEND_S = 0.7
STOP_S = 1.0
MAX_CALLERS = 10_000
_NOTHING = Decimal(0)

_Who = tuple[TeamId, UserId | None, KeyId | None]


class AllotmentStock:
    """Asks for allotments and gives them back, in the background. Nothing is given back that a row
    of the ledger still has to take out of its allotment."""

    def __init__(
        self,
        allotments: Allotments,
        clock: Clock,
        ids: IdGenerator,
        *,
        ttl_s: float,
        tend_s: float = TEND_S,
        rules: AllotmentRules = DEFAULT_RULES,
    ) -> None:
        """``ttl_s`` is for how long an allotment is good if nobody renews it. It is used for half
        of that, so that a process that stood still, or whose clock is wrong, uses none that others
        have seen expire."""
        self._allotments = allotments
        self._clock = clock
        self._ids = ids
        self._used_for = timedelta(seconds=ttl_s / 2)
        self._tend_s = tend_s
        self._rules = rules
        self._callers: dict[_Who, Caller] = {}
        # Those that nobody takes from any more, and that calls may still hold something of.
        self._closed: dict[AllotmentId, Allotment] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._returning: asyncio.Task[None] | None = None
        self._tending: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Give back what no call needs; the rest expires."""
        if self._asking:
            # Whoever stopped waiting for one would not know whether it is there.
            await asyncio.wait(self._asking, timeout=STOP_S)
        tasks = [*self._asking, *filter(None, (self._tending,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for caller in self._callers.values():
            self._close(caller)
        if self._returning is not None:
            await asyncio.wait([self._returning], timeout=STOP_S)

    def take(self, hold: Hold) -> Allotment | None:
        """The allotment that the hold has come out of."""
        who = (hold.team_id, hold.user_id, hold.key_id)
        caller = self._callers.get(who)
        if caller is None:
            caller = self._meet(who)
        allotment = caller.allotment
        if allotment is not None:
            if not allotment.is_for(hold):
                self._close(caller)
            elif hold.amount <= allotment.free:
                allotment.take(hold.amount)
                if allotment.runs_dry:
                    self._ask(caller, hold)
                return allotment
        if caller.has_to_wait(self._clock.monotonic()):
            self._ask(caller, hold)
        return None

    def _ask(self, caller: Caller, hold: Hold) -> None:
        now = self._clock.monotonic()
        if caller.may_ask(now):
            wanted, least = caller.ask(hold.amount, now)
            task = asyncio.create_task(self._allot(caller, hold, wanted, least))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _allot(self, caller: Caller, hold: Hold, wanted: Decimal, least: Decimal) -> None:
        at = self._clock.now()
        allotment_id = AllotmentId(self._ids.new())
        granted = _NOTHING
        try:
            granted = await self._allotments.allot(
                AllotmentWish(
                    id=allotment_id,
                    team_id=hold.team_id,
                    user_id=hold.user_id,
                    key_id=hold.key_id,
                    wanted=wanted,
                    least=least,
                    at=at,
                )
            )
        except UnavailableError as error:
            # What was set aside all the same expires.
            log.warning("budgets.not_allotted", error=repr(error))
        finally:
            caller.answered(self._clock.monotonic(), is_granted=granted > 0)
        if granted > 0:
            self._close(caller)
            caller.allotment = self._new(allotment_id, hold, granted, at)
            if self._tending is None:
                self._tending = asyncio.create_task(self._tend_while_there_are_any())

    def _new(
        self, allotment_id: AllotmentId, hold: Hold, granted: Decimal, at: datetime
    ) -> Allotment:
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return Allotment(
            id=allotment_id,
            team_id=hold.team_id,
            terms=hold.terms,
            amount=granted,
            free=granted,
            opens=midnight,
            closes=min(at + self._used_for, midnight + timedelta(days=1)),
            since=self._clock.monotonic(),
        )

    def end(self, allotment: Allotment, unspent: Decimal) -> None:
        allotment.end(unspent)
        if not allotment.is_open and not allotment.running:
            self._return()

    def _close(self, caller: Caller) -> None:
        allotment, caller.allotment = caller.allotment, None
        if allotment is not None:
            allotment.is_open = False
            self._closed[allotment.id] = allotment
            self._return()

    def _drop(self, allotment: Allotment) -> None:
        """It has expired."""
        allotment.is_open = False
        self._closed.pop(allotment.id, None)
        for caller in self._callers.values():
            if caller.allotment is allotment:
                caller.allotment = None

    async def renew(self, at: datetime) -> int:
        """Keep all from expiring, for the calls that run. Returns how many there are."""
        kept = [caller.allotment for caller in self._callers.values() if caller.allotment]
        kept += self._closed.values()
        if kept:
            gone = await self._allotments.renew([(one.team_id, one.id) for one in kept], at)
            for allotment in kept:
                if allotment.id in gone:
                    self._drop(allotment)
        return len(kept)

    async def give_back_unused(self, team_id: TeamId) -> bool:
        """Whether there was anything of the team to give back."""
        now = self._clock.monotonic()
        for (team, _, _), caller in self._callers.items():
            if team == team_id and caller.allotment is not None:
                caller.do_without(now)
                self._close(caller)
        if any(one.free > 0 and one.team_id == team_id for one in self._closed.values()):
            self._return()
        if self._returning is None:
            return False
        await asyncio.wait([self._returning])
        return True

    def _return(self) -> None:
        if self._returning is None:
            self._returning = asyncio.create_task(self._return_all())

    async def _return_all(self) -> None:
        try:
            while parts := self._parts():
                await self._allotments.give_back(parts)
        except UnavailableError as error:
            # Whether it has happened is unknown. If not, it expires.
            log.warning("budgets.not_given_back", error=repr(error))
        finally:
            self._returning = None

    def _parts(self) -> list[AllotmentPart]:
        """What is to be given back of closed allotments, and is here no more."""
        closed = list(self._closed.values())
        self._closed = {one.id: one for one in closed if one.running}
        return [
            AllotmentPart(id=one.id, team_id=one.team_id, amount=one.rest())
            for one in closed
            if one.free > 0 or not one.running
        ]

    def tend(self) -> None:
        """Close what nobody used of late, or is too old, and give back what nobody needs."""
        now = self._clock.now()
        # The time of day may have been set back since.
        oldest = self._clock.monotonic() - self._used_for.total_seconds()
        for caller in self._callers.values():
            allotment = caller.allotment
            if allotment is None:
                continue
            if not allotment.was_used:
                caller.was_idle()
            if not allotment.was_used or now >= allotment.closes or allotment.since <= oldest:
                self._close(caller)
            allotment.was_used = False
        if any(one.free > 0 for one in self._closed.values()):
            self._return()

    async def idle(self) -> None:
        """Wait for what goes on in the background."""
        while self._asking or self._returning is not None:
            await asyncio.wait([*self._asking, *filter(None, (self._returning,))])

    def _meet(self, who: _Who) -> Caller:
        if len(self._callers) >= MAX_CALLERS:
            self._callers = {
                one: caller for one, caller in self._callers.items() if not caller.is_forgettable
            }
        caller = self._callers[who] = Caller(self._rules)
        return caller

    async def _tend_while_there_are_any(self) -> None:
        while self._closed or any(caller.allotment for caller in self._callers.values()):
            await asyncio.sleep(self._tend_s)
            self.tend()
        self._tending = None
