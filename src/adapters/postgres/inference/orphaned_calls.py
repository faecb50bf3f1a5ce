from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from application.inference.ports import OrphanedCalls

ERROR_CODE = "PROCESS_DIED"

# The statuses are literals since they are what selects the index of open rows.
_PROCESSES = text("SELECT DISTINCT process FROM calls WHERE status = 'open' AND process <> :own")
_IS_DEAD = text("SELECT pg_try_advisory_xact_lock(:process)")
_INTERRUPT = text(
    "UPDATE calls SET status = 'interrupted', settled_at = :at, error_code = :code,"
    " cost = coalesce(held, (SELECT h.amount FROM budget_holds h"
    " WHERE h.team_id = calls.team_id AND h.call_id = calls.id))"
    " WHERE status = 'open' AND process = ANY(CAST(:dead AS bigint[]))"
)


class PostgresOrphanedCalls(OrphanedCalls):
    """What was held for a call is what it costs, as long as nobody knows better. A process is dead
    when the lock on its number is free: see ``ProcessPresence``. Should one have lost the database
    only, its outcomes still replace what is said here."""

    def __init__(self, engine: AsyncEngine, *, process: int) -> None:
        self._engine = engine
        self._process = process

    async def interrupt(self, at: datetime) -> int:
        with translated():
            async with self._engine.begin() as connection:
                processes = await connection.scalars(_PROCESSES, {"own": self._process})
                dead = [
                    process
                    for process in processes
                    if await connection.scalar(_IS_DEAD, {"process": process})
                ]
                if not dead:
                    return 0
                interrupted = await connection.execute(
                    _INTERRUPT, {"at": at, "code": ERROR_CODE, "dead": dead}
                )
                return interrupted.rowcount
