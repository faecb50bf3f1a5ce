from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.activity import PostgresKeyActivity
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.credentials import CachedCredentials
from adapters.postgres.inference.call_reader import PostgresCallReader
from adapters.postgres.inference.ledger import PostgresLedger
from adapters.postgres.inference.orphaned_calls import PostgresOrphanedCalls
from adapters.postgres.inference.process_presence import ProcessPresence
from adapters.postgres.operations.old_records import PostgresOldRecords
from adapters.postgres.operations.runtime_settings import PostgresRuntimeSettings
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.identity.ports import Credentials, IdentityUnitOfWork, KeyActivity
from application.inference.call_ports import CallReader
from application.inference.closed_calls import ClosedCalls
from application.inference.keeping.shared_asking import SharedAsking
from application.inference.observed_ledger import ObservedLedger
from application.inference.ports import (
    Ledger,
    OrphanedCalls,
)
from application.operations.ports import (
    CallObserver,
    OldRecords,
    OperationsUnitOfWork,
    RuntimeSettings,
    SecretBox,
    SettingsUnitOfWork,
)
from application.operations.records.error_reporter import ErrorReporter
from domain.operations.runtime_settings import CACHE_DISABLE_ALL
from entrypoints.database import DatabaseUrl
from entrypoints.di.observation import Backlog
from entrypoints.runtime_environment import RuntimeEnvironment
from entrypoints.settings import Settings


class PostgresProvider(Provider):
    """Everything that is stored. What has a life of its own starts when it is first asked for."""

    scope = Scope.APP

    unit_of_work = provide(PostgresUnitOfWork, provides=IdentityUnitOfWork, scope=Scope.REQUEST)
    settings_unit_of_work = provide(
        PostgresUnitOfWork, provides=SettingsUnitOfWork, scope=Scope.REQUEST
    )
    operations_unit_of_work = provide(
        PostgresUnitOfWork, provides=OperationsUnitOfWork, scope=Scope.REQUEST
    )
    call_reader = provide(PostgresCallReader, provides=CallReader)

    @provide
    async def engine(self, url: DatabaseUrl, settings: Settings) -> AsyncIterable[AsyncEngine]:
        engine = make_engine(url, pool_size=settings.database_pool_size)
        yield engine
        await engine.dispose()

    @provide
    def sessions(self, engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
        return make_sessions(engine)

    @provide
    async def identity_changes(
        self,
        url: DatabaseUrl,
        sessions: async_sessionmaker[AsyncSession],
        settings: RuntimeSettings,
    ) -> AsyncIterable[IdentityChanges]:
        changes = IdentityChanges(
            url, sessions, is_caching_disabled=lambda: settings.get(CACHE_DISABLE_ALL)
        )
        await changes.start()
        yield changes
        await changes.stop()

    @provide
    def credentials(
        self,
        sessions: async_sessionmaker[AsyncSession],
        changes: IdentityChanges,
        settings: Settings,
    ) -> Credentials:
        return CachedCredentials(sessions, changes, patience_s=settings.ledger_timeout_seconds)

    @provide
    def old_records(self, url: DatabaseUrl) -> OldRecords:
        return PostgresOldRecords(url)

    @provide
    async def runtime_settings(
        self, url: DatabaseUrl, environment: RuntimeEnvironment, secrets: SecretBox
    ) -> AsyncIterable[RuntimeSettings]:
        settings = PostgresRuntimeSettings(url, environment=environment, secrets=secrets)
        await settings.start()
        yield settings
        await settings.stop()

    @provide
    async def key_activity(self, engine: AsyncEngine) -> AsyncIterable[KeyActivity]:
        activity = PostgresKeyActivity(engine)
        yield activity
        await activity.stop()

    @provide
    async def presence(self, url: DatabaseUrl) -> AsyncIterable[ProcessPresence]:
        presence = ProcessPresence(url)
        await presence.start()
        yield presence
        await presence.stop()

    @provide
    def orphaned_calls(self, engine: AsyncEngine, presence: ProcessPresence) -> OrphanedCalls:
        return PostgresOrphanedCalls(engine, process=presence.process)

    @provide
    async def postgres_ledger(
        self,
        url: DatabaseUrl,
        presence: ProcessPresence,
        settings: Settings,
        backlog: Backlog,
        reporter: ErrorReporter,
    ) -> AsyncIterable[PostgresLedger]:
        ledger = PostgresLedger(
            url,
            process=presence.process,
            sent_timeout_s=settings.ledger_timeout_seconds,
            reporter=reporter,
        )
        backlog.source = lambda: ledger.backlog
        await ledger.start()
        yield ledger
        await ledger.stop()

    @provide
    def closed_calls(self, ledger: PostgresLedger) -> ClosedCalls:
        return ledger.closed

    @provide
    def ledger(
        self, ledger: PostgresLedger, observer: CallObserver, sharing: SharedAsking
    ) -> Ledger:
        return ObservedLedger(ledger, (observer, sharing))
