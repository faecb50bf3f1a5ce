from dataclasses import dataclass, field

from application.identity.ports import IdentityUnitOfWork
from application.identity.session_ports import AccessTokens
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.correlation import origin
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.api_key import hash_secret
from domain.identity.membership import Membership
from domain.identity.session import REFRESH_PREFIX, RefreshToken, Session, SessionKind
from domain.identity.user import User
from domain.shared.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """A session with its secrets, which nobody can learn again: that of the cookie, or an access
    token and the token that gets the next one."""

    session: Session
    user: User
    cookie: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpening:
    """Opens the sessions of people who have shown who they are."""

    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator
    tokens: AccessTokens
    auditor: Auditor

    async def open(
        self,
        tx: IdentityUnitOfWork,
        user: User,
        membership: Membership,
        kind: SessionKind,
        *,
        remember_me: bool,
    ) -> OpenedSession:
        """Expects the user locked, and stores that there was a log-in."""
        cookie = self.secrets.token() if kind is SessionKind.COOKIE else None
        session = self._session(user, membership, cookie, remember_me=remember_me)
        user.last_login_at = session.created_at
        await tx.users.save(user)
        await tx.sessions.add(session)
        actor = Actor(team_id=session.team_id, user_id=user.id, session_id=session.id)
        await self.auditor.record(
            tx,
            actor,
            "session.created",
            Target("session", session.id),
            after={"kind": session.kind, "expires_at": session.expires_at.isoformat()},
        )
        if cookie is not None:
            return OpenedSession(session=session, user=user, cookie=cookie)
        return await self.with_tokens(tx, user, session)

    async def with_tokens(
        self, tx: IdentityUnitOfWork, user: User, session: Session
    ) -> OpenedSession:
        """The session with a new access token and a new refresh token."""
        now = self.clock.now()
        refresh_token = REFRESH_PREFIX + self.secrets.token()
        await tx.sessions.add_refresh_token(
            RefreshToken(
                token_hash=hash_secret(refresh_token), session_id=session.id, created_at=now
            )
        )
        return OpenedSession(
            session=session,
            user=user,
            access_token=self.tokens.issue(session, now),
            refresh_token=refresh_token,
        )

    def _session(
        self, user: User, membership: Membership, cookie: str | None, *, remember_me: bool
    ) -> Session:
        came_from = origin.get()
        return Session.start(
            id=SessionId(self.ids.new()),
            team_id=membership.team_id,
            user_id=user.id,
            at=self.clock.now(),
            remember_me=remember_me,
            cookie_hash=None if cookie is None else hash_secret(cookie),
            address=came_from.address,
            user_agent=came_from.user_agent,
        )
