from dataclasses import fields

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.operations.rows import audit_logs
from application.shared.ports import AuditTrail
from domain.operations.audit import AuditEntry

_COLUMNS = tuple(field.name for field in fields(AuditEntry))


class PostgresAuditTrail(AuditTrail):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, entry: AuditEntry) -> None:
        values = {name: getattr(entry, name) for name in _COLUMNS}
        with translated():
            await self._session.execute(insert(audit_logs).values(values))
