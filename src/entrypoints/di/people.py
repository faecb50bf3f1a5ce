from collections.abc import AsyncIterable, Iterable

import structlog
from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.passwords.frequent_passwords import FrequentPasswords
from adapters.postgres.identity.activity import PostgresSessionActivity
from adapters.postgres.identity.attempts import PostgresAttempts
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.ended_sessions import PostgresEndedSessions
from adapters.postgres.identity.known_sessions import CachedSessions
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.identity.authenticate import SessionAccess
from application.identity.passwords import Passwords
from application.identity.people.deactivation import Deactivation
from application.identity.people.member_keys import MemberKeys
from application.identity.people.reset_links import ResetLinks
from application.identity.ports import CommonPasswords, PasswordHasher
from application.identity.session_ports import (
    AccessTokens,
    Attempts,
    EndedSessions,
    SessionActivity,
    SessionDirectory,
)
from application.identity.sessions.change_password import ChangePassword
from application.identity.sessions.forget_ended_sessions import ForgetEndedSessions
from application.identity.sessions.get_me import GetMe
from application.identity.sessions.list_sessions import ListSessions
from application.identity.sessions.log_in import LogIn
from application.identity.sessions.login_failures import LoginFailures
from application.identity.sessions.opening import SessionOpening
from application.identity.sessions.refresh_session import RefreshSession
from application.identity.sessions.revoke_all_sessions import RevokeAllSessions
from application.identity.sessions.revoke_session import RevokeSession
from application.identity.sessions.switch_team import SwitchTeam
from application.identity.sessions.update_me import UpdateMe
from application.shared.ports import Clock, IdGenerator
from domain.shared.errors import UnavailableError
from entrypoints.instrumentation import instrumented
from entrypoints.settings import Settings

log = structlog.get_logger()

SESSION_USE_CASES = (
    ChangePassword,
    GetMe,
    ListSessions,
    LogIn,
    RefreshSession,
    RevokeAllSessions,
    RevokeSession,
    SwitchTeam,
    UpdateMe,
)


class PeopleProvider(Provider):
    """What it takes to know people: their passwords and their sessions."""

    scope = Scope.APP

    def __init__(self) -> None:
        super().__init__()
        for use_case in SESSION_USE_CASES:
            self.provide(instrumented(use_case), provides=use_case, scope=Scope.REQUEST)

    forget_ended_sessions = provide(ForgetEndedSessions)
    session_opening = provide(SessionOpening)
    common_passwords = provide(FrequentPasswords, provides=CommonPasswords)
    passwords = provide(Passwords)
    member_keys = provide(MemberKeys)
    deactivation = provide(Deactivation)
    reset_links = provide(ResetLinks)
    attempts = provide(PostgresAttempts, provides=Attempts)
    ended_sessions = provide(PostgresEndedSessions, provides=EndedSessions)
    session_access = provide(SessionAccess)

    @provide
    def password_hasher(self) -> Iterable[PasswordHasher]:
        # Most command lines need no passwords.
        from adapters.passwords.argon2id import Argon2idHasher  # noqa: PLC0415

        hasher = Argon2idHasher()
        yield hasher
        hasher.stop()

    @provide
    def access_tokens(self, settings: Settings) -> AccessTokens:
        # A tenth of a second of imports, which no command line should pay for.
        from adapters.tokens.jwt_access_tokens import JwtAccessTokens  # noqa: PLC0415

        return JwtAccessTokens(settings.secret_key, settings.secret_key_previous)

    @provide
    def session_directory(
        self,
        sessions: async_sessionmaker[AsyncSession],
        changes: IdentityChanges,
        settings: Settings,
    ) -> SessionDirectory:
        return CachedSessions(sessions, changes, patience_s=settings.ledger_timeout_seconds)

    @provide
    async def login_failures(
        self, sessions: async_sessionmaker[AsyncSession], clock: Clock, ids: IdGenerator
    ) -> AsyncIterable[LoginFailures]:
        failures = LoginFailures(new_uow=lambda: PostgresUnitOfWork(sessions), clock=clock, ids=ids)
        yield failures
        try:
            await failures.flush()
        except UnavailableError as error:
            log.warning("login_failures.lost", reason=error.message)

    @provide
    async def session_activity(self, engine: AsyncEngine) -> AsyncIterable[SessionActivity]:
        activity = PostgresSessionActivity(engine)
        yield activity
        await activity.stop()
