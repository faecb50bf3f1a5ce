from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.operations.audit_reader import PostgresAuditReader
from adapters.postgres.operations.error_log import BufferedErrorLog
from adapters.postgres.operations.error_reader import PostgresErrorReader
from adapters.postgres.operations.error_writer import PostgresErrorWriter
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.operations.ports import RuntimeSettings
from application.operations.records.error_reporter import ErrorReporter
from application.operations.records.ports import (
    AuditReader,
    ErrorLog,
    ErrorReader,
    ErrorsUnitOfWork,
)
from application.shared.ports import IdGenerator
from domain.operations.runtime_settings import ERROR_SPIKE_THRESHOLD


class RecordsProvider(Provider):
    """What was done, and what went wrong."""

    scope = Scope.APP

    audit_reader = provide(PostgresAuditReader, provides=AuditReader)
    error_reader = provide(PostgresErrorReader, provides=ErrorReader)
    error_reporter = provide(ErrorReporter)
    unit_of_work = provide(PostgresUnitOfWork, provides=ErrorsUnitOfWork, scope=Scope.REQUEST)

    @provide
    def buffer(self) -> BufferedErrorLog:
        return BufferedErrorLog()

    @provide
    def error_log(self, buffer: BufferedErrorLog) -> ErrorLog:
        """There before the database is; what is recorded waits for ``PostgresErrorWriter``."""
        return buffer

    @provide
    async def error_writer(
        self,
        buffer: BufferedErrorLog,
        sessions: async_sessionmaker[AsyncSession],
        ids: IdGenerator,
        settings: RuntimeSettings,
    ) -> AsyncIterable[PostgresErrorWriter]:
        writer = PostgresErrorWriter(sessions, ids, lambda: settings.get(ERROR_SPIKE_THRESHOLD))
        buffer.start(writer.write)
        yield writer
        await buffer.stop()
