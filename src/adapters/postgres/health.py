from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from application.operations.ports import ComponentHealth, HealthProbe, HealthStatus

# A backlog this long means that the database does not keep up.
LONG_BACKLOG = 1_000


class DatabaseProbe(HealthProbe):
    """Asks the database something. The engine is fetched late: it is made while starting."""

    name = "database"

    def __init__(self, engine: Callable[[], Awaitable[AsyncEngine]]) -> None:
        self._engine = engine

    async def check(self) -> ComponentHealth:
        engine = await self._engine()
        with translated():
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        return ComponentHealth()


class LedgerProbe(HealthProbe):
    """Looks at how many rows wait for the database."""

    name = "ledger"

    def __init__(self, backlog: Callable[[], int]) -> None:
        self._backlog = backlog

    async def check(self) -> ComponentHealth:
        waiting = self._backlog()
        status = HealthStatus.DEGRADED if waiting > LONG_BACKLOG else HealthStatus.HEALTHY
        return ComponentHealth(status=status, detail=f"{waiting} rows waiting")
