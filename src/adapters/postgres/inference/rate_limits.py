import asyncio
from collections.abc import Sequence

import structlog

from adapters.postgres.inference.deadlines import Deadlines
from adapters.postgres.inference.lane import Lane
from adapters.postgres.inference.limit_connection import LimitConnection
from adapters.postgres.inference.limit_move import LaneMove
from adapters.postgres.inference.limit_sweep import SWEEP_EVERY_S, sweep_limits
from application.inference.allowance_ports import RateLimits
from application.inference.limit_move import Act, counters_away
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.inference.rate import Demand, Standings

log = structlog.get_logger()

TIMEOUT_S = 5.0
ROUTE = "limits"
MAX_QUEUED = 10_000
# Batches start this far apart under load; what comes alone leaves at once.
GAP_S = 0.0005
# Nobody waits for a settlement; it rides along with what does, or leaves after this.
LINGER_S = 0.01


class PostgresRateLimits(RateLimits):
    """Counters in Postgres. What comes while a batch is under way makes up the next one, over one
    connection of its own, which is made when the first caller with limits comes.

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
        self._lane = Lane[LaneMove](
            name="limits",
            connect=lambda: LimitConnection.open(database_url, process),
            on_durable=self._give_back_unwanted,
            on_refused=self._on_refused,
            gap_s=GAP_S,
        )
        self._lingering: list[LaneMove] = []
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
        for move in await self._lane.stop():
            _fail(move, ConnectionAbortedError())
        self._deadlines.stop()

    async def take(self, demand: Demand) -> Standings:
        return await self._answered(LaneMove(Act.TAKE, demand))

    async def look(self, demand: Demand) -> Standings:
        return await self._answered(LaneMove(Act.LOOK, demand))

    def settle(self, demand: Demand, tokens: int | None) -> None:
        move = LaneMove(Act.SETTLE, demand, used=tokens)
        if not move.changes_nothing:
            self._linger(move)

    def release(self, demand: Demand) -> None:
        self._linger(LaneMove(Act.RELEASE, demand))

    async def _answered(self, move: LaneMove) -> Standings:
        answer = move.answer
        if answer is None or self._lane.queued >= MAX_QUEUED:
            raise counters_away()
        self._put(move)
        self._deadlines.watch(answer)
        try:
            return await answer
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

    def _give_back_unwanted(self, moves: Sequence[LaneMove]) -> None:
        for move in moves:
            if move.has_to_be_undone:
                self.release(move.demand)

    def _linger(self, move: LaneMove) -> None:
        self._lingering.append(move)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger_s, self._put)

    def _put(self, *moves: LaneMove) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweep_for_ever())
            self._lane.start()
        lingering, self._lingering = self._lingering, []
        self._lane.put_all((*lingering, *moves))

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_every_s)
            try:
                await sweep_limits(self._database_url, self._process)
            except Exception as error:
                # What is left behind is found again, or does no harm until then.
                log.exception("limits.sweep_failed")
                self._report(error)

    def _on_refused(self, move: LaneMove, error: Exception) -> None:
        _fail(move, error)
        self._report(error)

    def _report(self, error: Exception) -> None:
        if self._reporter is not None:
            self._reporter.report(error, Circumstances(route=ROUTE))


def _fail(move: LaneMove, error: Exception) -> None:
    log.error("limits.move_refused", act=move.act.value, error=repr(error))
    move.fail()
