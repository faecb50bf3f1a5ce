from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.postgres.identity.activity import PostgresPersonActivity
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.external_people import CachedExternalPeople
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.identity.external.admit_person import AdmitPerson
from application.identity.external.ports import ExternalPeople, IdentityTokens, PersonActivity
from application.identity.external.vouched_people import VouchedPeople
from application.identity.session_ports import ExternalIdentities
from application.operations.ports import RuntimeSettings
from application.shared.auditing import Auditor
from application.shared.ports import Clock, IdGenerator
from entrypoints.settings import Settings


class ExternalIdentityProvider(Provider):
    """Those whom an identity provider vouches for."""

    scope = Scope.APP

    people_of_providers = provide(VouchedPeople, provides=ExternalIdentities)

    @provide
    async def identity_tokens(
        self, settings: RuntimeSettings, clock: Clock
    ) -> AsyncIterable[IdentityTokens]:
        # A tenth of a second of imports, which no command line should pay for.
        from adapters.oidc.documents import HttpDocuments  # noqa: PLC0415
        from adapters.oidc.identity_tokens import OidcIdentityTokens  # noqa: PLC0415

        tokens = OidcIdentityTokens(settings, HttpDocuments(), clock)
        yield tokens
        await tokens.stop()

    @provide
    def external_people(
        self,
        sessions: async_sessionmaker[AsyncSession],
        changes: IdentityChanges,
        settings: Settings,
    ) -> ExternalPeople:
        return CachedExternalPeople(sessions, changes, patience_s=settings.ledger_timeout_seconds)

    @provide
    async def person_activity(self, engine: AsyncEngine) -> AsyncIterable[PersonActivity]:
        activity = PostgresPersonActivity(engine)
        yield activity
        await activity.stop()

    @provide
    def admit_person(
        self,
        sessions: async_sessionmaker[AsyncSession],
        auditor: Auditor,
        clock: Clock,
        ids: IdGenerator,
    ) -> AdmitPerson:
        return AdmitPerson(uow=PostgresUnitOfWork(sessions), auditor=auditor, clock=clock, ids=ids)
