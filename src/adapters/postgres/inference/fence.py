from datetime import datetime

import asyncpg

PATIENCE_MS = 5_000
_WHO = "SELECT pid, backend_start FROM pg_stat_get_activity(pg_backend_pid()) WHERE pid IS NOT NULL"
# A number alone could be that of a later process.
_END = """
SELECT pg_terminate_backend(pid, $3) FROM pg_stat_get_activity($1) WHERE backend_start = $2
"""


class Fence:
    """Between the connections that one writer has, one after the other: what was sent over a
    connection that was given up may otherwise happen after what is sent over the next one, when the
    server was held up, and undo it."""

    def __init__(self) -> None:
        self._last: tuple[int, datetime] | None = None

    async def cross(self, connection: asyncpg.Connection) -> None:
        """Returns when nothing can happen any more over the connection that crossed before. Raises
        ``TimeoutError`` if the server does not get there."""
        if self._last is not None:
            is_over = await connection.fetchval(_END, *self._last, PATIENCE_MS)
            if is_over is False:
                raise TimeoutError("The database does not let go of a connection that is lost.")
        pid, began = await connection.fetchrow(_WHO)
        self._last = (pid, began)
