from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self
from uuid import UUID

import asyncpg

from adapters.postgres.engine import connect
from adapters.postgres.inference.lane import LaneConnection
from adapters.postgres.inference.ledger_connection import LANE_SETTINGS
from adapters.postgres.inference.limit_move import LaneMove
from domain.inference.rate import Demand, Limited, Spent

WRITE_TIMEOUT_S = 5.0

# Arrays go as the text that Postgres reads, which costs a fraction of what the driver's encoder
# takes for so many of so few elements.
_ARRAYS = (
    *("uuid", "text", "text", "uuid"),
    *("int", "int", "boolean", "float8", "float8", "int", "float8", "float8", "uuid"),
    *("int", "uuid"),
)
_ARGUMENTS = ", ".join(f"${n}::text::{of}[]" for n, of in enumerate(_ARRAYS, start=2))
# ruff: noqa: S608 - everything that is put together here is written here
_MOVE = f"SELECT admitted, requests, tokens, running FROM move_limits($1, {_ARGUMENTS})"

Counter = tuple[UUID, str, str, UUID]


class LimitConnection(LaneConnection[LaneMove]):
    """A connection that decides a batch of moves with one statement."""

    def __init__(self, connection: asyncpg.Connection, statement: Any, process: int) -> None:
        self._connection = connection
        self._statement = statement
        self._process = process

    @classmethod
    async def open(cls, database_url: str, process: int) -> Self:
        # The counters are worth a minute: nobody waits for a disk.
        settings = {**LANE_SETTINGS, "synchronous_commit": "off"}
        connection = await connect(database_url, purpose="limits", **settings)
        try:
            statement = await connection.prepare(_MOVE)
            # Preparing leaves a transaction open that only the next query ends.
            await connection.execute("SELECT 1")
        except BaseException:
            connection.terminate()
            raise
        return cls(connection, statement, process)

    @property
    def is_open(self) -> bool:
        return not self._connection.is_closed()

    def on_lost(self, call: Callable[[], None]) -> None:
        self._connection.add_termination_listener(lambda _: call())

    async def write(self, batch: Sequence[LaneMove], *, is_retry: bool) -> None:
        """A batch that is repeated may be counted twice, which grows back; places are not."""
        # What was sent once may have happened, so it has to come to its end.
        moves = [move for move in batch if move.is_wanted or move.is_sent]
        if not moves:
            return
        for move in moves:
            move.is_sent = True
        row = await self._statement.fetchrow(
            self._process, *_arguments(moves, is_retry=is_retry), timeout=WRITE_TIMEOUT_S
        )
        states = list(map(_spent, row["requests"], row["tokens"], row["running"]))
        first = 0
        for move in moves:
            last = first + len(move.demand.limited)
            move.conclude(row["admitted"][first], states[first:last])
            first = last

    def terminate(self) -> None:
        self._connection.terminate()

    async def close(self) -> None:
        try:
            await self._connection.close(timeout=1)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()


def _spent(requests: float, tokens: float, running: int) -> Spent:
    return Spent(requests=requests, tokens=tokens, running=running)


def _arguments(moves: Sequence[LaneMove], *, is_retry: bool) -> tuple[str, ...]:
    """The arrays that ``move_limits`` takes: those of the counters, of the moves, and of the
    places that become free."""
    keys = sorted({key for move in moves for key, _ in _counters(move.demand)})
    numbers = {key: number for number, key in enumerate(keys, start=1)}
    entries = [
        (
            item,
            numbers[key],
            move.takes,
            limited.limits.rpm,
            limited.limits.tpm,
            limited.limits.concurrency,
            move.requests(limited),
            move.tokens(limited),
            move.demand.id if move.takes and limited.limits.concurrency is not None else None,
        )
        for item, move in enumerate(moves)
        for key, limited in _counters(move.demand)
    ]
    freed = [
        (numbers[key], move.demand.id)
        for move in moves
        if move.gives_back_places or (is_retry and move.takes)
        for key, limited in _counters(move.demand)
        if limited.limits.concurrency is not None
    ]
    return (
        *map(_array, zip(*keys, strict=True)),
        *map(_array, zip(*entries, strict=True)),
        _array(number for number, _ in freed),
        _array(slot for _, slot in freed),
    )


def _array(values: Iterable[object]) -> str:
    """None of them has a character that would have to be quoted."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


def _counters(demand: Demand) -> Iterator[tuple[Counter, Limited]]:
    for limited in demand.limited:
        subject = limited.subject
        yield (demand.team_id, str(demand.purpose), str(subject.kind), subject.id), limited
