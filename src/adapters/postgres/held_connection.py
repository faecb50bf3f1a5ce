import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from adapters.postgres.engine import connect
from adapters.postgres.errors import reason_of
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

HEARTBEAT_S = 1.0
ANSWER_WITHIN_S = 2.0
SHORTEST_BACKOFF_S = 0.05
LONGEST_BACKOFF_S = 1.0

# A server that lost sight of this machine shall give up the connection, and what hangs on it.
_KEEPALIVE = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class HeldConnection:
    """A connection for something that lasts as long as a session: a lock, a LISTEN. Made again
    whenever it breaks, and asked for a sign of life so that a silent loss is noticed."""

    def __init__(
        self,
        database_url: str,
        *,
        purpose: str,
        on_connected: Callable[[asyncpg.Connection], Awaitable[None]],
        on_lost: Callable[[], None],
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        """``on_connected`` sets the session up; it is held from when that returns until
        ``on_lost``, which is also called when setting up fails."""
        self._database_url = database_url
        self._purpose = purpose
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._heartbeat_s = heartbeat_s
        self._held = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def is_held(self) -> bool:
        return self._held.is_set()

    async def is_held_within(self, timeout_s: float) -> bool:
        """Wait for the session to be held, for so long at most."""
        try:
            await asyncio.wait_for(self._held.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def start(self, timeout_s: float = 10.0) -> None:
        """Returns when the session is held. Raises ``UnavailableError`` if it is not in time."""
        self._keeping = asyncio.create_task(self._keep())
        try:
            await asyncio.wait_for(self._held.wait(), timeout_s)
        except TimeoutError:
            await self.stop()
            raise UnavailableError("The database cannot be reached.", retry_after=1.0) from None

    async def stop(self) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def _keep(self) -> None:
        backoff = SHORTEST_BACKOFF_S
        while True:
            try:
                await self._hold()
            except Exception as error:  # noqa: BLE001 - whatever broke it, it is made again
                if self._held.is_set():
                    backoff = SHORTEST_BACKOFF_S
                    log.warning(
                        "database.session_lost", purpose=self._purpose, error=reason_of(error)
                    )
            finally:
                self._held.clear()
                self._on_lost()
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_S)

    async def _hold(self) -> None:
        connection = await connect(self._database_url, purpose=self._purpose, **_KEEPALIVE)
        try:
            broken = asyncio.Event()
            connection.add_termination_listener(lambda _: broken.set())
            await self._on_connected(connection)
            self._held.set()
            while not broken.is_set():
                await connection.execute("SELECT 1", timeout=ANSWER_WITHIN_S)
                await _wait(broken, self._heartbeat_s)
            raise ConnectionResetError("The server closed the connection.")
        finally:
            connection.terminate()


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return
