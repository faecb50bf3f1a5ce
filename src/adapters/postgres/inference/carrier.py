import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import asyncpg
import structlog

from adapters.postgres.eager import start_now
from adapters.postgres.errors import reason_of
from adapters.postgres.inference.ledger_row import Item

log = structlog.get_logger()

ItemT = TypeVar("ItemT", bound=Item)
WrittenT_contra = TypeVar("WrittenT_contra", bound=Item, contravariant=True)

SHORTEST_BACKOFF_S = 0.05
LONGEST_BACKOFF_S = 1.0
# A wire may go dead while a connection is being set up, and nobody would say so for a long time.
CONNECT_WITHIN_S = 20.0

# Classes of SQLSTATE that blame the rows: cardinality, data, integrity, limits, triggers, and
# internal errors, which are seldom anybody else's fault.
_ROWS_FAULT = ("21", "22", "23", "44", "54", "P0", "XX")
# Classes after which the same connection may try again: lost a race, somebody holds a lock.
_BAD_LUCK = ("40", "55")


class LaneConnection(Protocol[WrittenT_contra]):
    """What a lane writes over."""

    @property
    def is_open(self) -> bool: ...

    def on_lost(self, call: Callable[[], None]) -> None: ...

    async def write(self, batch: Sequence[WrittenT_contra], *, is_retry: bool) -> None:
        """Write the batch in a transaction of its own; it leaves before the first wait."""
        ...

    def terminate(self) -> None: ...

    async def close(self) -> None: ...


class Carrier(Generic[ItemT]):
    """One connection of a lane, with at most one batch on its way.

    When the connection breaks, whether the batch was committed is unknown; it is repeated with a
    statement that tolerates what is there already. A batch that the database refuses is halved
    until the bad item stands alone.
    """

    def __init__(
        self,
        *,
        name: str,
        connect: Callable[[], Awaitable[LaneConnection[ItemT]]],
        on_durable: Callable[[list[ItemT]], None],
        on_refused: Callable[[ItemT, Exception], None],
        on_landed: Callable[[], None],
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> None:
        """``on_landed`` is told when the carrier has become free."""
        self._name = name
        self._connect_within_s = connect_within_s
        self._connect = connect
        self._on_durable = on_durable
        self._on_refused = on_refused
        self._on_landed = on_landed
        # What was taken over and is not decided yet; the last part is the one in the air.
        self._parts: list[list[ItemT]] = []
        self._connection: LaneConnection[ItemT] | None = None
        self._flight: asyncio.Future[None] | None = None
        self._failures = 0
        self._is_running = True

    @property
    def is_free(self) -> bool:
        return self._flight is None

    @property
    def is_laden(self) -> bool:
        """Whether a batch is on its way."""
        return bool(self._parts)

    def connect(self) -> None:
        """In the background, for as long as that takes."""
        self._flight = asyncio.create_task(self._fly())

    def carry(self, batch: list[ItemT]) -> None:
        """Take over the batch; only for a carrier that is free."""
        self._parts.append(batch)
        connection = self._connection
        if connection is None or not connection.is_open:
            self.connect()
            return
        # The batch leaves before this returns.
        flight = start_now(self._fly())
        if not flight.done():
            self._flight = flight

    async def stop(self) -> list[ItemT]:
        """Give up, and return what was not written."""
        self._is_running = False
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])
            self._flight = None
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        left = [item for part in reversed(self._parts) for item in part]
        self._parts.clear()
        return left

    async def _fly(self) -> None:
        """Write until everything that was taken over is durable or refused."""
        while self._parts or self._connection is None:
            try:
                await self._write_last_part()
            except Exception as error:  # noqa: BLE001 - whatever it is, the rows are kept
                if self._parts and _class_of(error) in _ROWS_FAULT:
                    self._split(error)
                else:
                    await self._recover(error)
        self._flight = None
        self._on_landed()

    async def _write_last_part(self) -> None:
        connection = self._connection
        if connection is None or not connection.is_open:
            async with asyncio.timeout(self._connect_within_s):
                connection = self._connection = await self._connect()
            connection.on_lost(partial(self._on_lost, connection))
        if self._parts:
            part = self._parts[-1]
            await connection.write(part, is_retry=self._failures > 0)
            self._parts.pop()
            self._on_durable(part)
        if self._failures:
            log.info("lane.database_back", lane=self._name)
            self._failures = 0

    def _split(self, error: Exception) -> None:
        part = self._parts.pop()
        if len(part) == 1:
            self._on_refused(part[0], error)
            return
        middle = len(part) // 2
        self._parts += [part[middle:], part[:middle]]

    async def _recover(self, error: Exception) -> None:
        if not self._failures:
            log.warning("lane.database_lost", lane=self._name, error=reason_of(error))
        if self._connection is not None and _class_of(error) not in _BAD_LUCK:
            self._connection.terminate()
            self._connection = None
        backoff = SHORTEST_BACKOFF_S * 2 ** min(self._failures, 10)
        self._failures += 1
        await asyncio.sleep(min(backoff, LONGEST_BACKOFF_S))

    def _on_lost(self, connection: LaneConnection[ItemT]) -> None:
        """Who has nothing to carry gets his next connection before it is needed."""
        if connection is self._connection and self._flight is None and self._is_running:
            self._connection = None
            self.connect()


def _class_of(error: Exception) -> str:
    return (error.sqlstate or "")[:2] if isinstance(error, asyncpg.PostgresError) else ""
