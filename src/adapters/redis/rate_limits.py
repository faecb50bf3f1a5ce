import asyncio
import time
from functools import partial
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from adapters.redis.limit_client import LimitClient, places_of
from application.inference.allowance_ports import RateLimits
from application.inference.limits.foresight import Foresight
from application.inference.limits.limit_move import Act, LimitMove, counters_away
from application.inference.limits.tally import CounterKey, Tally
from domain.identity.allowance import Limits
from domain.inference.rate import Demand, Spent, Standings

log = structlog.get_logger()

TIMEOUT_S = 5.0
LEASE_S = 30.0
# What nobody waits for rides along with what somebody does, or leaves after this.
LINGER_S = 0.05
# Unless it is a place of which there are few.
PLACE_LINGER_S = 0.005
MAX_BATCH = 256
MAX_QUEUED = 10_000
_AWAY = (RedisError, OSError, TimeoutError)


class RedisRateLimits(RateLimits):
    """Counters in Redis or Valkey. Who is far from his limits does not wait for them. What comes
    while a batch is under way makes up the next one. Places are leases that this process renews for
    as long as it lives."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S, lease_s: float = LEASE_S) -> None:
        self._client = LimitClient(url, timeout_s=timeout_s, lease_s=lease_s)
        self._timeout_s = timeout_s
        self._lease_s = lease_s
        self._foresight = Foresight(time.monotonic)
        self._queue: list[LimitMove] = []
        self._flight: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._held: dict[str, set[UUID]] = {}
        # Whose leases are to be renewed.
        self._due: list[str] = []
        self._renewing: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Tell what is still to be told; what is not, ends with its lease."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        if self._queue or self._foresight.has_to_tell:
            self._take_off()
        if self._flight is not None:
            await asyncio.wait([self._flight])
        await self._client.stop()

    async def take(self, demand: Demand) -> Standings:
        standings = self._foresight.admit(demand)
        if standings is not None:
            self._linger()
        else:
            standings = await self._asked(demand)
        self._hold(demand)
        return standings

    async def look(self, demand: Demand) -> Standings:
        return await self._answered(LimitMove(Act.LOOK, demand))

    def settle(self, demand: Demand, tokens: int | None) -> None:
        self._let_go(demand)
        self._foresight.settle(demand, tokens)
        self._linger()

    def release(self, demand: Demand) -> None:
        self._let_go(demand)
        self._foresight.release(demand)
        self._linger()

    async def _asked(self, demand: Demand) -> Standings:
        self._foresight.ask_for(demand)
        try:
            return await self._answered(LimitMove(Act.TAKE, demand))
        finally:
            self._foresight.asked_for(demand)

    async def _answered(self, move: LimitMove) -> Standings:
        if len(self._queue) >= MAX_QUEUED:
            raise counters_away()
        self._queue.append(move)
        self._take_off()
        try:
            return await move.answer
        except asyncio.CancelledError:
            move.is_wanted = False
            if move.is_admitted:
                self.release(move.demand)
            raise

    def _linger(self) -> None:
        if self._flight is not None:
            return
        if self._foresight.frees_scarce_places:
            self._take_off_within(PLACE_LINGER_S)
        elif self._timer is None and self._foresight.has_to_tell:
            self._take_off_within(LINGER_S)

    def _take_off_within(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._take_off)

    def _take_off(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())

    async def _fly(self) -> None:
        try:
            while self._queue or self._foresight.has_to_tell or self._due:
                batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
                tallies, moves = self._foresight.tell(), [move for move in batch if move.is_wanted]
                place, held = self._next_to_renew()
                if tallies or moves:
                    await self._decide(tallies, moves)
                if held:
                    await self._renew(place, held)
        finally:
            self._flight = None

    async def _decide(self, tallies: list[Tally], moves: list[LimitMove]) -> None:
        hear = partial(self._hear, self._foresight.now())
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._client.decide(tallies, moves, hear)
        except _AWAY as error:
            # Tokens grow back, and places end with their lease.
            log.warning(
                "limits.not_counted", tallies=len(tallies), moves=len(moves), error=repr(error)
            )
        finally:
            for tally in tallies:
                self._foresight.told(tally)
            for move in moves:
                move.fail()
        for move in moves:
            if move.has_to_be_undone:
                self.release(move.demand)

    def _hear(self, asked_at: float, key: CounterKey, limits: Limits, spent: Spent) -> None:
        self._foresight.hear(key, limits, spent, asked_at)

    def _hold(self, demand: Demand) -> None:
        for place in places_of(demand):
            self._held.setdefault(place, set()).add(demand.id)
            if self._renewing is None:
                self._renewing = asyncio.create_task(self._renew_for_ever())

    def _let_go(self, demand: Demand) -> None:
        for place in places_of(demand):
            held = self._held.get(place, set())
            held.discard(demand.id)
            if not held:
                self._held.pop(place, None)

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            self._due = list(self._held)
            if self._due:
                self._take_off()

    def _next_to_renew(self) -> tuple[str, tuple[UUID, ...]]:
        """What is held of a place as far as it has been told, or is with the batch before: what is
        given back from now on is told after it."""
        if not self._due:
            return "", ()
        place = self._due.pop()
        return place, tuple(self._held.get(place, ()))

    async def _renew(self, place: str, held: tuple[UUID, ...]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._client.renew(place, held)
        except _AWAY as error:
            log.warning("limits.not_renewed", error=repr(error))
