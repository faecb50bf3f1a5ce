import secrets

import asyncpg

from adapters.postgres.held_connection import HeldConnection

_PROCESS_BITS = 63
# Without this process noticing, the database gives the lock up after half a minute at the soonest.
HEARTBEAT_S = 5.0


class ProcessPresence:
    """Shows every node that this process lives: it holds an advisory lock on its number, which the
    database releases when the process dies, however it dies."""

    def __init__(self, database_url: str, *, timeout_s: float = 10.0) -> None:
        self._timeout_s = timeout_s
        self._process = secrets.randbits(_PROCESS_BITS)
        self._session = HeldConnection(
            database_url,
            purpose="presence",
            on_connected=self._lock,
            on_lost=lambda: None,
            heartbeat_s=HEARTBEAT_S,
        )

    @property
    def process(self) -> int:
        """The number of this process, as it stands in the rows that it opens."""
        return self._process

    async def start(self) -> None:
        """Returns when the lock is held; the ledger must not write before. Raises
        ``UnavailableError`` if it is not in time."""
        await self._session.start(self._timeout_s)

    async def stop(self) -> None:
        """After this the open rows of the process count as left behind."""
        await self._session.stop()

    async def _lock(self, connection: asyncpg.Connection) -> None:
        # It waits where the session that broke has not ended yet on the server's side.
        await connection.execute("SELECT pg_advisory_lock($1)", self._process)
