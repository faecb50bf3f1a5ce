import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

import asyncpg
import structlog

from adapters.postgres.eager import start_now
from adapters.postgres.inference.ledger_row import Item

log = structlog.get_logger()

ItemT = TypeVar("ItemT", bound=Item)
WrittenT_contra = TypeVar("WrittenT_contra", bound=Item, contravariant=True)

FULL_BATCH = 256
MAX_BATCH = 1000
MAX_BATCH_BYTES = 8_000_000
SHORTEST_BACKOFF_S = 0.05
LONGEST_BACKOFF_S = 1.0
# Under load, which is when batches have grown already, they start up to this far apart: what a
# statement costs is shared by more items.
LONGEST_GAP_S = 0.004

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


class Lane(Generic[ItemT]):
    """Writes what is queued over one connection, one batch at a time and in order.

    While a batch is under way the next one gathers, and the larger a batch was, the longer the next
    one may gather: nothing waits when there is little to do, and batches grow with the load. When
    the connection breaks, whether the batch was committed is unknown; it is repeated with a
    statement that tolerates what is there already.
    """

    def __init__(
        self,
        *,
        name: str,
        connect: Callable[[], Awaitable[LaneConnection[ItemT]]],
        on_durable: Callable[[list[ItemT]], None],
        on_refused: Callable[[ItemT, Exception], None],
        gap_s: float,
        linger_s: float = 0.0,
    ) -> None:
        """Two batches start at least ``gap_s`` for each item of the first apart, as far as
        ``LONGEST_GAP_S`` allows; an item waits ``linger_s`` for company."""
        self._name = name
        self._connect = connect
        self._on_durable = on_durable
        self._on_refused = on_refused
        self._gap_s = gap_s
        self._linger_s = linger_s
        self._queue: deque[ItemT] = deque()
        # What has left the queue and is not decided yet; the last part is the one in the air.
        self._parts: list[list[ItemT]] = []
        self._connection: LaneConnection[ItemT] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._flight: asyncio.Future[None] | None = None
        self._next_take_off = float("-inf")
        self._failures = 0
        self._is_running = False
        self._is_urgent = False

    def start(self) -> None:
        """Connects in the background, for as long as that takes."""
        self._is_running = True
        self._launch()

    async def stop(self) -> list[ItemT]:
        """Give up, and return what was not written."""
        self._is_running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])
            self._flight = None
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        left = [item for part in reversed(self._parts) for item in part]
        left.extend(self._queue)
        self._parts.clear()
        self._queue.clear()
        return left

    @property
    def queued(self) -> int:
        return len(self._queue)

    def put(self, item: ItemT) -> None:
        self.put_all((item,))

    def put_all(self, items: Iterable[ItemT]) -> None:
        """They take off together, as far as one batch holds them."""
        self._queue.extend(items)
        if self._flight is None and self._is_running:
            self._plan()

    def set_urgent(self, is_urgent: bool) -> None:
        """Whether to take off without waiting for company."""
        self._is_urgent = is_urgent
        if self._flight is None and self._is_running and self._queue:
            self._plan()

    def _plan(self) -> None:
        """Take off now, or when the time comes."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        at = max(self._next_take_off, now + self._linger_s)
        if at <= now or self._is_urgent or len(self._queue) >= FULL_BATCH:
            self._take_off()
        elif self._timer is None:
            self._timer = loop.call_at(at, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        # A flight for a new connection may have started meanwhile; it will take the queue along.
        if self._flight is None:
            self._take_off()

    def _take_off(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = self._next_batch()
        gap_s = max(self._gap_s, min(self._gap_s * len(batch), LONGEST_GAP_S))
        self._next_take_off = asyncio.get_running_loop().time() + gap_s
        self._parts.append(batch)
        self._launch()

    def _launch(self) -> None:
        connection = self._connection
        if connection is None or not connection.is_open:
            self._flight = asyncio.create_task(self._fly())
            return
        # The batch leaves before this returns.
        flight = start_now(self._fly())
        if not flight.done():
            self._flight = flight

    def _next_batch(self) -> list[ItemT]:
        queue = self._queue
        batch: list[ItemT] = []
        size = 0
        while queue and len(batch) < MAX_BATCH and size < MAX_BATCH_BYTES:
            item = queue.popleft()
            size += len(item.payload)
            batch.append(item)
        return batch

    async def _fly(self) -> None:
        """Write until everything that has left the queue is durable or refused."""
        while self._parts or self._connection is None:
            try:
                await self._write_last_part()
            except Exception as error:  # noqa: BLE001 - whatever it is, the rows are kept
                if self._parts and _class_of(error) in _ROWS_FAULT:
                    self._split(error)
                else:
                    await self._recover(error)
        self._flight = None
        if self._queue and self._is_running:
            self._plan()

    async def _write_last_part(self) -> None:
        connection = self._connection
        if connection is None or not connection.is_open:
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
        """Halve the part that the database refused until the bad row stands alone."""
        part = self._parts.pop()
        if len(part) == 1:
            self._on_refused(part[0], error)
            return
        middle = len(part) // 2
        self._parts += [part[middle:], part[:middle]]

    async def _recover(self, error: Exception) -> None:
        if not self._failures:
            log.warning("lane.database_lost", lane=self._name, error=repr(error))
        if self._connection is not None and _class_of(error) not in _BAD_LUCK:
            self._connection.terminate()
            self._connection = None
        backoff = SHORTEST_BACKOFF_S * 2 ** min(self._failures, 10)
        self._failures += 1
        await asyncio.sleep(min(backoff, LONGEST_BACKOFF_S))

    def _on_lost(self, connection: LaneConnection[ItemT]) -> None:
        """An idle lane gets its next connection before it is needed."""
        if connection is self._connection and self._flight is None and self._is_running:
            self._connection = None
            self._launch()


def _class_of(error: Exception) -> str:
    return (error.sqlstate or "")[:2] if isinstance(error, asyncpg.PostgresError) else ""
