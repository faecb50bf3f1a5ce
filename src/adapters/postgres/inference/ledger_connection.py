import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, Self, TypeVar

import asyncpg

from adapters.postgres.engine import connect, hang_up
from adapters.postgres.inference.carrier import LaneConnection
from adapters.postgres.inference.ledger_row import Item

WRITE_TIMEOUT_S = 30.0
_LOOK_AGAIN_S = 0.001

# The plans are for the shape that the tables will have, not for how empty they happen to be when
# a connection is made: find rows by their key, in the partition that has them.
LANE_SETTINGS = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}

ItemT = TypeVar("ItemT", bound=Item)

StatementOf = Callable[[bool, bool], str]


class LedgerConnection(LaneConnection[ItemT], Generic[ItemT]):
    """A connection with the statements of a lane prepared, so that a batch is one write to the
    socket: Postgres commits what it has received, whatever becomes of this process.

    A batch that is not decided in time takes the connection along. One timer sees to that, which
    looks again only when its time is over, instead of one for each batch.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        prepared: dict[tuple[bool, bool], Any],
        arguments: Callable[[Sequence[ItemT]], tuple[object, ...]],
        timeout_s: float,
    ) -> None:
        self._connection = connection
        # asyncpg does not show these, and nothing else knows whether a query has left and whether
        # all of it has: one that a dying connection refuses never does. A statement's own methods
        # cost more than all that is done here.
        self._protocol = connection._protocol  # noqa: SLF001
        self._transport = connection._transport  # noqa: SLF001
        self._queries_before = 0
        self._prepared = prepared
        self._arguments = arguments
        self._batch: Sequence[ItemT] = ()
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None

    @classmethod
    async def open(
        cls,
        database_url: str,
        purpose: str,
        statement: StatementOf,
        arguments: Callable[[Sequence[ItemT]], tuple[object, ...]],
        timeout_s: float = WRITE_TIMEOUT_S,
    ) -> Self:
        """``statement(retry, contents)`` is SQL that takes a batch as JSON, and its arguments."""
        connection = await connect(database_url, purpose=purpose, **LANE_SETTINGS)
        try:
            prepared = {
                variant: await connection.prepare(statement(*variant))
                for variant in ((False, False), (False, True), (True, False), (True, True))
            }
            # Preparing has begun a transaction that only the next query ends, and it holds locks on
            # the ledger: no migration could pass a server that has nothing to do.
            await connection.execute("SELECT 1")
        except BaseException:
            connection.terminate()
            raise
        return cls(connection, prepared, arguments, timeout_s)

    def on_lost(self, call: Callable[[], None]) -> None:
        self._connection.add_termination_listener(lambda _: call())

    @property
    def is_open(self) -> bool:
        connected: bool = self._protocol.is_connected()
        return connected

    def has_sent(self) -> bool:
        """Whether the batch is in the hands of the operating system."""
        transport = self._transport
        return (
            self._protocol.queries_count > self._queries_before
            and transport.get_write_buffer_size() == 0
            and not transport.is_closing()
        )

    async def write(self, batch: Sequence[ItemT], *, is_retry: bool) -> None:
        """Write the batch in a transaction of its own; it leaves before the first wait."""
        self._queries_before = self._protocol.queries_count
        is_awaited = has_content = False
        for item in batch:
            is_awaited |= item.take_off(self.has_sent)
            has_content |= item.has_content
        payload = b"[%b]" % b",".join([item.payload for item in batch])
        if is_awaited:
            self._batch = batch
            self._loop.call_soon(self._hand_over, batch)
        statement = self._prepared[is_retry, has_content]._state  # noqa: SLF001
        arguments = (payload.decode(), *self._arguments(batch))
        self._due = self._loop.time() + self._timeout_s
        if self._timer is None:
            self._timer = self._loop.call_at(self._due, self._look)
        try:
            await self._protocol.bind_execute(statement, arguments, "", 0, True, None)
        finally:
            self._batch = ()
            self._due = None

    def terminate(self) -> None:
        self._stop_timer()
        self._connection.terminate()

    async def close(self) -> None:
        self._stop_timer()
        await hang_up(self._connection)

    def _hand_over(self, batch: Sequence[ItemT]) -> None:
        """A batch that is too big for the socket's buffer leaves in pieces."""
        if batch is not self._batch:
            return
        if self.has_sent():
            for item in batch:
                item.hand_over()
        else:
            self._loop.call_later(_LOOK_AGAIN_S, self._hand_over, batch)

    def _look(self) -> None:
        """Whether the batch that is under way should have been decided."""
        self._timer = None
        if self._due is None:
            return
        if self._due > self._loop.time():
            self._timer = self._loop.call_at(self._due, self._look)
        else:
            self._connection.terminate()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
