import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self
from uuid import UUID

import asyncpg

from adapters.postgres.engine import connect, hang_up
from adapters.postgres.inference.carrier import LaneConnection
from adapters.postgres.inference.fence import Fence
from adapters.postgres.inference.ledger_connection import LANE_SETTINGS
from adapters.postgres.inference.limit_move import Entry, LaneItem
from application.inference.limits.tally import CounterKey
from domain.identity.allowance import Limits
from domain.inference.rate import Spent

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

# A counter with its limits, what was spent of it, and when it was asked.
Hear = Callable[[CounterKey, Limits, Spent, float], None]


class LimitConnection(LaneConnection[LaneItem]):
    """A connection that decides a batch of moves with one statement."""

    def __init__(
        self, connection: asyncpg.Connection, statement: Any, process: int, hear: Hear
    ) -> None:
        self._connection = connection
        self._statement = statement
        self._process = process
        self._hear = hear

    @classmethod
    async def open(cls, database_url: str, process: int, hear: Hear, fence: Fence) -> Self:
        """``hear`` gets the news of all counters that a batch has moved. ``fence`` is what all
        connections of one lane cross."""
        # The counters are worth a minute: nobody waits for a disk.
        settings = {**LANE_SETTINGS, "synchronous_commit": "off"}
        connection = await connect(database_url, purpose="limits", **settings)
        try:
            statement = await connection.prepare(_MOVE)
            # Preparing leaves a transaction open that only the next query ends.
            await fence.cross(connection)
        except BaseException:
            connection.terminate()
            raise
        return cls(connection, statement, process, hear)

    @property
    def is_open(self) -> bool:
        return not self._connection.is_closed()

    def on_lost(self, call: Callable[[], None]) -> None:
        self._connection.add_termination_listener(lambda _: call())

    async def write(self, batch: Sequence[LaneItem], *, is_retry: bool) -> None:
        """A batch that is repeated may be counted twice, which grows back; places are not."""
        items = [item for item in batch if item.is_needed]
        if not items:
            return
        entries = _entries(items)
        freed = [place for item in items for place in item.freed(is_retry=is_retry)]
        asked_at = time.monotonic()
        row = await self._statement.fetchrow(
            self._process, *_arguments(entries, freed), timeout=WRITE_TIMEOUT_S
        )
        states = list(map(_spent, row["requests"], row["tokens"], row["running"]))
        admitted = row["admitted"]
        first = 0
        for item, moved in zip(items, entries, strict=True):
            last = first + len(moved)
            for entry, spent in zip(moved, states[first:last], strict=True):
                self._hear(entry.key, entry.limits, spent, asked_at)
            item.decided(admitted[first], states[first:last])
            first = last

    def terminate(self) -> None:
        self._connection.terminate()

    async def close(self) -> None:
        await hang_up(self._connection)


def _entries(items: Sequence[LaneItem]) -> list[list[Entry]]:
    """Without the places that are taken and given back in one batch: they are free when it is over,
    whatever is done first."""
    ended = {place for item in items for place in item.freed(is_retry=False)}
    entries = [item.entries() for item in items]
    if not ended:
        return entries
    return [[one for one in moved if (one.key, one.place) not in ended] for moved in entries]


def _spent(requests: float, tokens: float, running: int) -> Spent:
    return Spent(requests=requests, tokens=tokens, running=running)


def _arguments(
    moves: Sequence[Sequence[Entry]], freed: Sequence[tuple[CounterKey, UUID]]
) -> tuple[str, ...]:
    """The arrays that ``move_limits`` takes: those of the counters, of the moves, and of the
    places that become free."""
    keys = {entry.key: _columns(entry.key) for entries in moves for entry in entries}
    keys.update((key, _columns(key)) for key, _ in freed if key not in keys)
    ordered = sorted(keys.values())
    places = {columns: number for number, columns in enumerate(ordered, start=1)}
    numbers = {key: places[columns] for key, columns in keys.items()}
    lines = [
        (
            item,
            numbers[entry.key],
            entry.takes,
            entry.limits.rpm,
            entry.limits.tpm,
            entry.limits.concurrency,
            entry.requests,
            entry.tokens,
            entry.place,
        )
        for item, entries in enumerate(moves)
        for entry in entries
    ]
    return (
        *map(_array, zip(*ordered, strict=True)),
        *map(_array, zip(*lines, strict=True)),
        _array(numbers[key] for key, _ in freed),
        _array(place for _, place in freed),
    )


def _columns(key: CounterKey) -> tuple[UUID, str, str, UUID]:
    team_id, purpose, subject = key
    return (team_id, str(purpose), str(subject.kind), subject.id)


def _array(values: Iterable[object]) -> str:
    """None of them has a character that would have to be quoted."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"
