from datetime import datetime

from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.identity.session_rows import LoginAttemptsRow, SessionRow
from application.identity.session_ports import EndedSessions


class PostgresEndedSessions(EndedSessions):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def forget(self, before: datetime) -> int:
        with translated():
            async with self._engine.begin() as connection:
                deleted = await connection.execute(
                    delete(SessionRow).where(
                        or_(SessionRow.expires_at < before, SessionRow.revoked_at < before)
                    )
                )
                await connection.execute(
                    delete(LoginAttemptsRow).where(LoginAttemptsRow.quiet_at < before)
                )
        return deleted.rowcount
