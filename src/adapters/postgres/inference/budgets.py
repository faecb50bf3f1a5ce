import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.inference.budget_connection import BudgetConnection, columns
from adapters.postgres.inference.budget_move import Act, BudgetMove
from adapters.postgres.inference.deadlines import Deadlines
from adapters.postgres.inference.fence import Fence
from adapters.postgres.inference.lane import Lane
from application.inference.allowance_ports import Budgets
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from application.shared.ports import Clock
from domain.inference.budget import Hold
from domain.inference.call import Call
from domain.shared.errors import UnavailableError
from domain.shared.ids import CallId

log = structlog.get_logger()

TTL_S = 60.0
TIMEOUT_S = 5.0
MAX_QUEUED = 10_000
# Batches start this far apart under load; a hold that comes alone leaves at once.
ROUTE = "budgets"
GAP_S = 0.0005
STOP_S = 1.0

# Changes what is there only, whoever gives it back meanwhile.
_RENEW = text(
    "UPDATE budget_holds h SET expires_at = CAST(:expiry AS timestamptz) FROM ("
    " SELECT team_id, call_id FROM budget_holds JOIN unnest(CAST(:teams AS uuid[]),"
    " CAST(:calls AS uuid[])) AS r (team_id, call_id) USING (team_id, call_id)"
    " ORDER BY team_id, call_id FOR UPDATE OF budget_holds"
    ") AS l WHERE h.team_id = l.team_id AND h.call_id = l.call_id RETURNING h.call_id"
)
# No clock that goes right lets a hold last for so long: it was set back since. Whoever lives renews
# his own.
_BELIEVABLE_TTLS = 10
_SHORTEN = text(
    "UPDATE budget_holds h SET expires_at = CAST(:expiry AS timestamptz) FROM ("
    " SELECT team_id, call_id FROM budget_holds WHERE expires_at > CAST(:latest AS timestamptz)"
    " FOR UPDATE SKIP LOCKED"
    ") AS l WHERE h.team_id = l.team_id AND h.call_id = l.call_id"
)
_EXPIRE = text("SELECT expire_budget_holds(CAST(:at AS timestamptz))")


class PostgresBudgets(Budgets):
    """Accounts in Postgres. What comes while a batch is under way makes up the next one, over one
    connection of its own, which is made when the first caller with a budget comes."""

    def __init__(
        self,
        database_url: str,
        engine: AsyncEngine,
        clock: Clock,
        *,
        ttl_s: float = TTL_S,
        timeout_s: float = TIMEOUT_S,
        reporter: ErrorReporter | None = None,
    ) -> None:
        """A hold is good for ``ttl_s`` if nobody renews it. ``reporter`` gets what the database did
        not take."""
        self._reporter = reporter
        self._engine = engine
        self._ttl = timedelta(seconds=ttl_s)
        self._deadlines = Deadlines(timeout_s, TimeoutError)
        self._is_started = False
        self._running: dict[CallId, Hold] = {}
        self._undecided: dict[CallId, BudgetMove] = {}
        self._all_decided = asyncio.Event()
        fence = Fence()
        self._lane = Lane[BudgetMove](
            name="budgets",
            connect=lambda: BudgetConnection.open(database_url, clock, self._ttl, fence),
            on_durable=self._on_decided,
            on_refused=self._on_refused,
            gap_s=GAP_S,
        )

    async def stop(self) -> None:
        """Give back what can be given back; the rest expires."""
        if self._undecided:
            self._all_decided.clear()
            try:
                await asyncio.wait_for(self._all_decided.wait(), STOP_S)
            except TimeoutError:
                log.warning("budgets.not_given_back", calls=len(self._undecided))
        for move in await self._lane.stop():
            move.refuse(_away())
        self._deadlines.stop()

    @property
    def backlog(self) -> int:
        """Of how many calls the holds are not taken or given back yet."""
        return len(self._undecided)

    async def hold(self, hold: Hold) -> None:
        if self._lane.queued >= MAX_QUEUED:
            raise _away()
        move = self._put(Act.TAKE, hold)
        if move.answer is None:
            return
        self._deadlines.watch(move.answer)
        try:
            await move.answer
        except TimeoutError:
            self.release(hold)
            raise _away() from None
        except asyncio.CancelledError:
            self.release(hold)
            raise

    def note(self, hold: Hold) -> None:
        if self._lane.queued < MAX_QUEUED:
            self._put(Act.NOTE, hold)

    def settle(self, hold: Hold, call: Call) -> None:
        if not call.cost:
            self.release(hold)
        elif hold.call_id in self._undecided:
            self._undecided[hold.call_id].is_wanted = False
        else:
            # The outcome's row does it.
            self._running.pop(hold.call_id, None)

    def release(self, hold: Hold) -> None:
        undecided = self._undecided.get(hold.call_id)
        if undecided is not None:
            undecided.is_wanted = False
        elif self._running.pop(hold.call_id, None) is not None:
            self._put(Act.RELEASE, hold)

    async def renew(self, at: datetime) -> int:
        holds = list(self._running.values())
        if holds:
            teams, calls = columns(holds)[:2]
            values = {"teams": teams, "calls": calls, "expiry": at + self._ttl}
            with translated():
                async with self._engine.begin() as connection:
                    there = set(await connection.scalars(_RENEW, values))
            self._restore(hold for hold in holds if hold.call_id not in there)
        return len(holds)

    def _restore(self, lost: Iterable[Hold]) -> None:
        """In the lane, so that they are given back after it and not before. Whoever has ended since
        anybody looked is not concerned."""
        for hold in lost:
            if self._running.pop(hold.call_id, None) is not None:
                self._put(Act.RESTORE, hold)

    async def expire(self, at: datetime) -> int:
        expiry, latest = at + self._ttl, at + _BELIEVABLE_TTLS * self._ttl
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(_SHORTEN, {"expiry": expiry, "latest": latest})
                return int(await connection.scalar(_EXPIRE, {"at": at}) or 0)

    def _put(self, act: Act, hold: Hold) -> BudgetMove:
        if not self._is_started:
            self._is_started = True
            self._lane.start()
        move = BudgetMove(act, hold)
        self._undecided[hold.call_id] = move
        self._lane.put(move)
        return move

    def _on_decided(self, moves: Sequence[BudgetMove]) -> None:
        for move in moves:
            hold = move.hold
            del self._undecided[hold.call_id]
            if move.is_taken:
                self._running[hold.call_id] = hold
                if not move.is_wanted:
                    self.release(hold)
        if not self._undecided:
            self._all_decided.set()

    def _on_refused(self, move: BudgetMove, error: Exception) -> None:
        log.error("budgets.move_refused", act=move.act.value, error=repr(error))
        if self._reporter is not None:
            self._reporter.report(error, Circumstances(route=ROUTE))
        self._undecided.pop(move.hold.call_id, None)
        move.refuse(_away())


def _away() -> UnavailableError:
    return UnavailableError("The budgets of the caller cannot be reached now.", retry_after=1.0)
