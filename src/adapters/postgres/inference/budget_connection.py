from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

import asyncpg

from adapters.postgres.engine import connect, hang_up
from adapters.postgres.inference.budget_move import Act, BudgetMove
from adapters.postgres.inference.carrier import LaneConnection
from adapters.postgres.inference.fence import Fence
from adapters.postgres.inference.ledger_connection import LANE_SETTINGS
from application.shared.ports import Clock
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Subject, SubjectKind
from domain.inference.budget import Budget, Hold, exhausted

WRITE_TIMEOUT_S = 10.0

_TAKE = "SELECT * FROM take_budget_holds($1, $2, $3, $4, $5, $6, $7, $8)"
# They have cost nothing.
_RELEASE = "SELECT settle_budgets($1, $2, NULL, NULL, NULL, NULL)"
# Room or not: their calls run.
_RESTORE = "SELECT renew_budget_holds($1, $2, $3, $4, $5, $6, $7)"
_ALL = (_TAKE, _RELEASE, _RESTORE)


class BudgetConnection(LaneConnection[BudgetMove]):
    """A connection that decides a batch of moves: what is given back first, to make room."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        statements: Mapping[str, Any],
        clock: Clock,
        ttl: timedelta,
    ) -> None:
        self._connection = connection
        self._take = statements[_TAKE]
        self._release = statements[_RELEASE]
        self._restore = statements[_RESTORE]
        self._clock = clock
        self._ttl = ttl

    @classmethod
    async def open(cls, database_url: str, clock: Clock, ttl: timedelta, fence: Fence) -> Self:
        """``fence`` is what all connections of one lane cross: a hold that is taken late, behind
        the back of the connection that repeated it, may have been given back before."""
        # A hold need not be on the disk before its call is made: the row of the call, which is
        # written after it, takes it along, and no answer leaves before that is there.
        settings = {**LANE_SETTINGS, "synchronous_commit": "off"}
        connection = await connect(database_url, purpose="budgets", **settings)
        try:
            statements = {sql: await connection.prepare(sql) for sql in _ALL}
            # Preparing leaves a transaction open that only the next query ends.
            await fence.cross(connection)
        except BaseException:
            connection.terminate()
            raise
        return cls(connection, statements, clock, ttl)

    @property
    def is_open(self) -> bool:
        return not self._connection.is_closed()

    def on_lost(self, call: Callable[[], None]) -> None:
        self._connection.add_termination_listener(lambda _: call())

    async def write(self, batch: Sequence[BudgetMove], *, is_retry: bool) -> None:
        released = [move.hold for move in batch if move.act is Act.RELEASE]
        if released:
            await self._release.fetch(*columns(released)[:2], timeout=WRITE_TIMEOUT_S)
        expiry = self._clock.now() + self._ttl
        restored = _sent(move for move in batch if move.act is Act.RESTORE)
        if restored:
            holds = columns([move.hold for move in restored])
            await self._restore.fetch(*holds, expiry, timeout=WRITE_TIMEOUT_S)
            for move in restored:
                move.grant()
        takes = _sent(move for move in batch if move.act in {Act.TAKE, Act.NOTE})
        if takes:
            await self._take_all(takes, expiry, is_retry=is_retry)

    async def _take_all(
        self, takes: Sequence[BudgetMove], expiry: datetime, *, is_retry: bool
    ) -> None:
        holds = columns([move.hold for move in takes])
        rows = await self._take.fetch(*holds, expiry, is_retry, timeout=WRITE_TIMEOUT_S)
        refused = {row["place"] - 1: row for row in rows}
        for place, move in enumerate(takes):
            if place in refused:
                move.refuse(exhausted(_budget(refused[place]), move.hold.amount))
            else:
                move.grant()

    def terminate(self) -> None:
        self._connection.terminate()

    async def close(self) -> None:
        await hang_up(self._connection)


def _sent(moves: Iterable[BudgetMove]) -> list[BudgetMove]:
    """Those that are to be sent, and count as such from now on."""
    due = [move for move in moves if move.is_due]
    for move in due:
        move.is_sent = True
    return due


def columns(holds: Sequence[Hold]) -> tuple[list[Any], ...]:
    """The arrays that the functions of migration 1440 take."""
    return (
        [hold.team_id for hold in holds],
        [hold.call_id for hold in holds],
        [hold.user_id for hold in holds],
        [hold.key_id for hold in holds],
        [hold.amount for hold in holds],
        [hold.at for hold in holds],
    )


def _budget(row: Any) -> Budget:
    return Budget(
        subject=Subject(SubjectKind(row["subject_kind"]), row["subject_id"]),
        terms=BudgetTerms(amount=row["amount"], period=BudgetPeriod(row["period"])),
        starts_at=None,
        settled=row["settled"],
        held=row["held"],
    )
