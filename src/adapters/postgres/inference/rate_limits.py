import asyncio
import time
from collections.abc import Sequence

import structlog

from adapters.postgres.inference.deadlines import Deadlines
from adapters.postgres.inference.fence import Fence
from adapters.postgres.inference.lane import Lane
from adapters.postgres.inference.limit_connection import LimitConnection
from adapters.postgres.inference.limit_move import LaneItem, LaneMove, LaneTally
from adapters.postgres.inference.limit_sweep import SWEEP_EVERY_S, sweep_limits
from application.inference.allowance_ports import RateLimits
from application.inference.limits.foresight import Foresight
from application.inference.limits.limit_move import Act, counters_away
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.inference.rate import Demand, Standings

log = structlog.get_logger()

TIMEOUT_S = 5.0
ROUTE = "limits"
MAX_QUEUED = 10_000
# Batches start this far apart under load; what comes alone leaves at once.
GAP_S = 0.0005
# What nobody waits for rides along with what somebody does, or leaves after this.
LINGER_S = 0.05
# Unless it is a place of which there are few.
PLACE_LINGER_S = 0.005


class PostgresRateLimits(RateLimits):
    """Counters in Postgres. Who is far from his limits does not wait for them. What comes while a
    batch is under way makes up the next one, over one connection of its own, which is made when the
    first caller with limits comes.

    Places are rows with the number of the process that holds them, so that whoever finds none free
    can see which of them nobody holds any more.
    """

    def __init__(
        self,
        database_url: str,
        *,
        process: int,
        timeout_s: float = TIMEOUT_S,
        linger_s: float = LINGER_S,
        sweep_every_s: float = SWEEP_EVERY_S,
        reporter: ErrorReporter | None = None,
    ) -> None:
        """``process`` is the number that the process' presence holds a lock on. ``reporter`` gets
        what the database did not take."""
        self._database_url = database_url
        self._process = process
        self._deadlines = Deadlines(timeout_s, TimeoutError)
        self._linger_s = linger_s
        self._sweep_every_s = sweep_every_s
        self._reporter = reporter
        self._foresight = Foresight(time.monotonic)
        fence = Fence()
        self._lane = Lane[LaneItem](
            name="limits",
            connect=lambda: LimitConnection.open(
                database_url, process, self._foresight.hear, fence
            ),
            on_durable=self._give_back_unwanted,
            on_refused=self._on_refused,
            gap_s=GAP_S,
        )
        self._timer: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Give up what is not counted yet: the places of a process that ends are free."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        for item in await self._lane.stop():
            _fail(item, ConnectionAbortedError())
        self._deadlines.stop()

    async def take(self, demand: Demand) -> Standings:
        standings = self._foresight.admit(demand)
        if standings is not None:
            self._linger()
            return standings
        self._foresight.ask_for(demand)
        try:
            return await self._answered(LaneMove(Act.TAKE, demand))
        finally:
            self._foresight.asked_for(demand)

    async def look(self, demand: Demand) -> Standings:
        return await self._answered(LaneMove(Act.LOOK, demand))

    def settle(self, demand: Demand, tokens: int | None) -> None:
        self._foresight.settle(demand, tokens)
        self._linger()

    def release(self, demand: Demand) -> None:
        self._foresight.release(demand)
        self._linger()

    async def _answered(self, move: LaneMove) -> Standings:
        if self._lane.queued >= MAX_QUEUED:
            raise counters_away()
        self._put(move)
        self._deadlines.watch(move.answer)
        try:
            return await move.answer
        except TimeoutError:
            self._abandon(move)
            raise counters_away() from None
        except asyncio.CancelledError:
            self._abandon(move)
            raise

    def _abandon(self, move: LaneMove) -> None:
        """Nobody waits any more: what was taken, or is about to be, is given back."""
        move.is_wanted = False
        if move.is_admitted:
            self._give_back_unwanted([move])

    def _give_back_unwanted(self, items: Sequence[LaneItem]) -> None:
        for item in items:
            if isinstance(item, LaneMove) and item.has_to_be_undone:
                self.release(item.demand)

    def _linger(self) -> None:
        if self._foresight.frees_scarce_places:
            self._put_within(min(self._linger_s, PLACE_LINGER_S))
        elif self._timer is None and self._foresight.has_to_tell:
            self._put_within(self._linger_s)

    def _put_within(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._put)

    def _put(self, *moves: LaneMove) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweep_for_ever())
            self._lane.start()
        foresight = self._foresight
        tallies = [LaneTally(tally, foresight.told) for tally in foresight.tell()]
        if tallies or moves:
            self._lane.put_all((*tallies, *moves))

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_every_s)
            try:
                await sweep_limits(self._database_url, self._process)
            except Exception as error:
                # What is left behind is found again, or does no harm until then.
                log.exception("limits.sweep_failed")
                self._report(error)

    def _on_refused(self, item: LaneItem, error: Exception) -> None:
        _fail(item, error)
        self._report(error)

    def _report(self, error: Exception) -> None:
        if self._reporter is not None:
            self._reporter.report(error, Circumstances(route=ROUTE))


def _fail(item: LaneItem, error: Exception) -> None:
    log.error("limits.move_refused", error=repr(error))
    item.fail()
