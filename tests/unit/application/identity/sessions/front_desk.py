from application.identity.passwords import Passwords
from application.identity.sessions.change_password import ChangePassword
from application.identity.sessions.get_me import GetMe
from application.identity.sessions.list_sessions import ListSessions
from application.identity.sessions.log_in import LogIn, LogInCommand
from application.identity.sessions.login_failures import LoginFailures
from application.identity.sessions.opening import OpenedSession, SessionOpening
from application.identity.sessions.refresh_session import RefreshSession
from application.identity.sessions.revoke_all_sessions import RevokeAllSessions
from application.identity.sessions.revoke_session import RevokeSession
from application.identity.sessions.switch_team import SwitchTeam
from application.identity.sessions.update_me import UpdateMe
from application.shared.actor import Actor
from domain.identity.permissions import permissions_of
from domain.identity.session import Session, SessionKind
from domain.identity.user import User
from domain.operations.audit import AuditEntry
from domain.shared.ids import SessionId
from tests.builders import USER_ID, a_user
from tests.fakes.joining import InMemoryJoiningUnitOfWork
from tests.fakes.passwords import FewCommonPasswords, PlainHasher
from tests.fakes.sessions import InMemoryAttempts, ReadableAccessTokens
from tests.unit.application.identity.desk import Desk

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery staple"


class FrontDesk(Desk):
    """The use cases of sessions on fakes, with a user who has a password."""

    def __init__(self) -> None:
        super().__init__()
        self.hasher = PlainHasher()
        self.passwords = Passwords(hasher=self.hasher, common=FewCommonPasswords())
        self.attempts = InMemoryAttempts(self.clock)
        self.tokens = ReadableAccessTokens()
        self.failures = LoginFailures(new_uow=lambda: self.uow, clock=self.clock, ids=self.ids)
        self.has_user(a_user(email=EMAIL, password_hash=f"hash:{PASSWORD}"))

    def has_user(self, user: User) -> User:
        self.database.committed.users[user.id] = user
        return user

    @property
    def user(self) -> User:
        return self.database.committed.users[USER_ID]

    @property
    def audit(self) -> list[AuditEntry]:
        return self.database.committed.audit

    def session(self, session_id: SessionId) -> Session:
        return self.database.committed.sessions[session_id]

    def actor(self, opened: OpenedSession) -> Actor:
        session = self.session(opened.session.id)
        membership = self.database.committed.memberships[session.team_id, session.user_id]
        return Actor(
            team_id=session.team_id,
            user_id=session.user_id,
            session_id=session.id,
            permissions=permissions_of(membership.role),
        )

    async def opened(self, kind: SessionKind = SessionKind.COOKIE) -> OpenedSession:
        return await self.log_in(LogInCommand(email=EMAIL, password=PASSWORD, kind=kind))

    @property
    def opening(self) -> SessionOpening:
        return SessionOpening(
            clock=self.clock,
            ids=self.ids,
            secrets=self.secrets,
            tokens=self.tokens,
            auditor=self.auditor,
        )

    @property
    def log_in(self) -> LogIn:
        return LogIn(
            uow=self.uow,
            passwords=self.passwords,
            attempts=self.attempts,
            failures=self.failures,
            opening=self.opening,
        )

    @property
    def refresh(self) -> RefreshSession:
        return RefreshSession(
            uow=self.uow, clock=self.clock, opening=self.opening, auditor=self.auditor
        )

    @property
    def revoke_session(self) -> RevokeSession:
        return RevokeSession(uow=self.uow, clock=self.clock, auditor=self.auditor)

    @property
    def revoke_all(self) -> RevokeAllSessions:
        return RevokeAllSessions(uow=self.uow, clock=self.clock, auditor=self.auditor)

    @property
    def list_sessions(self) -> ListSessions:
        return ListSessions(uow=self.uow, clock=self.clock)

    @property
    def switch(self) -> SwitchTeam:
        return SwitchTeam(uow=self.uow, auditor=self.auditor)

    @property
    def change_password(self) -> ChangePassword:
        return ChangePassword(
            uow=InMemoryJoiningUnitOfWork(self.database),
            passwords=self.passwords,
            attempts=self.attempts,
            clock=self.clock,
            auditor=self.auditor,
        )

    @property
    def get_me(self) -> GetMe:
        return GetMe(uow=self.uow)

    @property
    def update_me(self) -> UpdateMe:
        return UpdateMe(uow=self.uow, auditor=self.auditor)
