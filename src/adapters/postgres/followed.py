import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Generic, TypeVar

import asyncpg
import structlog

from adapters.postgres.engine import connect
from adapters.postgres.errors import translated
from adapters.postgres.held_connection import HeldConnection
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

RETRY_S = 0.1

Owner = TypeVar("Owner", bound=Hashable)


class Followed(Generic[Owner]):
    """Keeps something in memory as the database has it: read again for its owner when the database
    says that it changed, and whole whenever the database could not be heard for a while. Until it
    can be heard again what was read last holds."""

    def __init__(
        self,
        database_url: str,
        *,
        what: str,
        channel: str,
        owner_of: Callable[[str], Owner],
        read_all: Callable[[asyncpg.Connection], Awaitable[None]],
        read_of: Callable[[asyncpg.Connection, frozenset[Owner]], Awaitable[None]],
    ) -> None:
        """``owner_of`` reads what is told on the channel."""
        self._database_url = database_url
        self._what = what
        self._not_read = f"{what}.not_read"
        self._channel = channel
        self._owner_of = owner_of
        self._read_all = read_all
        self._read_of = read_of
        self._changed: set[Owner] = set()
        self._reading = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        self._session = HeldConnection(
            database_url, purpose=what, on_connected=self._listen, on_lost=lambda: None
        )

    @property
    def is_listening(self) -> bool:
        return self._session.is_held

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        await self._session.stop()
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    async def catch_up(self, owners: frozenset[Owner]) -> None:
        """Returns when what is committed for those owners is in memory; while the database is away
        that follows as soon as it can be."""
        async with self._reading:
            try:
                await self._read_again(owners)
            except UnavailableError as error:
                log.warning(self._not_read, reason=error.message)
                self._follow(owners)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(self._channel, self._on_change)
        async with self._reading:
            # What changed up to here is in what is read now.
            self._changed.clear()
            await self._read_all(connection)

    def _on_change(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._follow({self._owner_of(str(payload))})

    def _follow(self, owners: Iterable[Owner]) -> None:
        self._changed.update(owners)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        while self._changed:
            async with self._reading:
                changed, self._changed = frozenset(self._changed), set()
                try:
                    await self._read_again(changed)
                except UnavailableError as error:
                    self._changed |= changed
                    log.warning(self._not_read, reason=error.message)
            if self._changed:
                await asyncio.sleep(RETRY_S)

    async def _read_again(self, changed: frozenset[Owner]) -> None:
        with translated():
            # Not from the pool: that may be exhausted, and this shall not wait for it.
            connection = await connect(self._database_url, purpose=f"{self._what} reader")
            try:
                await self._read_of(connection, changed)
            finally:
                await connection.close()
