import asyncio
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.identity.allowances import PostgresAllowances
from adapters.postgres.identity.announcement import tell_own_process
from adapters.postgres.identity.joining import (
    PostgresInvitations,
    PostgresPasswordResets,
    PostgresSetupTokens,
)
from adapters.postgres.identity.keys import PostgresApiKeys
from adapters.postgres.identity.memberships import PostgresMemberships
from adapters.postgres.identity.sessions import PostgresSessions
from adapters.postgres.identity.teams import PostgresTeams
from adapters.postgres.identity.users import PostgresUsers
from adapters.postgres.inference.stored_responses import PostgresKeptResponses
from adapters.postgres.models.announcing import lock
from adapters.postgres.models.credentials import PostgresCredentialStore
from adapters.postgres.models.models import PostgresModels
from adapters.postgres.models.prices import PostgresPrices
from adapters.postgres.models.providers import PostgresProviders
from adapters.postgres.models.routes import PostgresRoutes
from adapters.postgres.operations.audience import PostgresAudience
from adapters.postgres.operations.audit_trail import PostgresAuditTrail
from adapters.postgres.operations.error_groups import PostgresErrorGroups
from adapters.postgres.operations.event_log import PostgresEventLog
from adapters.postgres.operations.event_outbox import PostgresEventOutbox
from adapters.postgres.operations.notifications import PostgresNotifications
from adapters.postgres.operations.operators import PostgresOperators
from adapters.postgres.operations.stored_settings import PostgresStoredSettings
from application.identity.joining.ports import JoiningUnitOfWork
from application.inference.responses.ports import ResponsesUnitOfWork
from application.models.pricing.ports import PricingUnitOfWork
from application.operations.events.ports import NotificationsUnitOfWork
from application.operations.ports import OperationsUnitOfWork, SettingsUnitOfWork
from application.operations.records.ports import ErrorsUnitOfWork
from domain.shared.ids import TeamId


class PostgresUnitOfWork(
    JoiningUnitOfWork,
    OperationsUnitOfWork,
    SettingsUnitOfWork,
    ErrorsUnitOfWork,
    NotificationsUnitOfWork,
    PricingUnitOfWork,
    ResponsesUnitOfWork,
):
    """One transaction at a time; each entry gets a session of its own, so the object may be used
    again, but not by two tasks at once."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._session: AsyncSession | None = None

    async def __aenter__(self) -> Self:
        if self._session is not None:
            raise RuntimeError("This unit of work is open already.")
        self._session = self._sessions()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session, self._session = self._open_session, None
        # A cancelled request must still give its connection back in order.
        await asyncio.shield(asyncio.ensure_future(session.close()))

    async def commit(self) -> None:
        with translated():
            await self._open_session.commit()
        tell_own_process(self._open_session)

    @property
    def audit(self) -> PostgresAuditTrail:
        return PostgresAuditTrail(self._open_session)

    @property
    def events(self) -> PostgresEventLog:
        return PostgresEventLog(self._open_session)

    @property
    def api_keys(self) -> PostgresApiKeys:
        return PostgresApiKeys(self._open_session)

    @property
    def teams(self) -> PostgresTeams:
        return PostgresTeams(self._open_session)

    @property
    def users(self) -> PostgresUsers:
        return PostgresUsers(self._open_session)

    @property
    def memberships(self) -> PostgresMemberships:
        return PostgresMemberships(self._open_session)

    @property
    def sessions(self) -> PostgresSessions:
        return PostgresSessions(self._open_session)

    @property
    def setup_tokens(self) -> PostgresSetupTokens:
        return PostgresSetupTokens(self._open_session)

    @property
    def password_resets(self) -> PostgresPasswordResets:
        return PostgresPasswordResets(self._open_session)

    @property
    def invitations(self) -> PostgresInvitations:
        return PostgresInvitations(self._open_session)

    @property
    def operators(self) -> PostgresOperators:
        return PostgresOperators(self._open_session)

    @property
    def settings(self) -> PostgresStoredSettings:
        return PostgresStoredSettings(self._open_session)

    @property
    def allowances(self) -> PostgresAllowances:
        return PostgresAllowances(self._open_session)

    @property
    def error_groups(self) -> PostgresErrorGroups:
        return PostgresErrorGroups(self._open_session)

    @property
    def outbox(self) -> PostgresEventOutbox:
        return PostgresEventOutbox(self._open_session)

    @property
    def notifications(self) -> PostgresNotifications:
        return PostgresNotifications(self._open_session)

    @property
    def audience(self) -> PostgresAudience:
        return PostgresAudience(self._open_session)

    @property
    def credentials(self) -> PostgresCredentialStore:
        return PostgresCredentialStore(self._open_session)

    @property
    def providers(self) -> PostgresProviders:
        return PostgresProviders(self._open_session)

    @property
    def models(self) -> PostgresModels:
        return PostgresModels(self._open_session)

    @property
    def routes(self) -> PostgresRoutes:
        return PostgresRoutes(self._open_session)

    @property
    def prices(self) -> PostgresPrices:
        return PostgresPrices(self._open_session)

    @property
    def kept_responses(self) -> PostgresKeptResponses:
        return PostgresKeptResponses(self._open_session)

    async def lock_registry(self, team_id: TeamId) -> None:
        with translated():
            await lock(self._open_session, team_id)

    @property
    def _open_session(self) -> AsyncSession:
        if self._session is None:
            raise RuntimeError("This unit of work is not open.")
        return self._session
