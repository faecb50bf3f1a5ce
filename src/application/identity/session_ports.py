from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.allowance import Allowance
from domain.identity.attempts import AttemptSubject
from domain.identity.permissions import Role
from domain.identity.session import RefreshToken, Session
from domain.shared.ids import SessionId, UserId


class Sessions(Protocol):
    """The sessions of all people, inside a unit of work. Every change makes all nodes forget what
    they know of the user when the unit of work commits."""

    async def add(self, session: Session) -> None: ...

    async def get(self, user_id: UserId, session_id: SessionId) -> Session:
        """Locked until the unit of work ends. Raises ``SessionNotFoundError``, also for another
        user's session."""
        ...

    async def save(self, session: Session) -> None:
        """Raises ``SessionNotFoundError``."""
        ...

    async def list_live(self, user_id: UserId, at: datetime, page: PageRequest) -> Page[Session]:
        """Those that have not ended, newest first."""
        ...

    async def revoke_all(
        self, user_id: UserId, at: datetime, *, but: SessionId | None = None
    ) -> tuple[SessionId, ...]:
        """End all live sessions of the user, except one; returns those that it ended."""
        ...

    async def add_refresh_token(self, token: RefreshToken) -> None: ...

    async def find_refresh_token(self, token_hash: bytes) -> tuple[RefreshToken, Session] | None:
        """With its session, both locked until the unit of work ends."""
        ...

    async def use_refresh_token(self, token: RefreshToken, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSession:
    """A session with what requests need of its user."""

    session: Session
    role: Role
    is_operator: bool
    allowances: tuple[Allowance, ...] = ()


class SessionDirectory(Protocol):
    """Sessions for authentication. Warm look-ups cost no round trip; a change of the session, its
    user, the membership or what may be used is seen at once, on any node."""

    async def find(self, reference: bytes | SessionId) -> KnownSession | None:
        """By its id or by the hash of its cookie's secret. Those of users who are not active are
        not found. Raises ``UnavailableError`` while the database is away and the session is not
        known."""
        ...


class SessionActivity(Protocol):
    """When sessions were last seen; kept in memory and written in batches."""

    def touch(self, session: Session, at: datetime) -> None: ...

    async def flush(self) -> None:
        """Write what was touched since the last flush."""
        ...


class EndedSessions(Protocol):
    async def forget(self, before: datetime) -> int:
        """Delete the sessions that ended before then, and the attempts that no longer count."""
        ...


class AccessTokens(Protocol):
    """Short-lived bearer tokens that name a session."""

    def issue(self, session: Session, at: datetime) -> str: ...

    def session_of(self, token: str, at: datetime) -> SessionId | None:
        """The session that it names, or ``None`` if it is no token of this server. Raises
        ``CredentialsInvalidError`` for one that has expired."""
        ...


class Attempts(Protocol):
    """Counts what could be guessed, on all nodes together."""

    async def count(self, subjects: Sequence[AttemptSubject]) -> None:
        """Raises ``TooManyAttemptsError`` when one of them has had its share. Always give them in
        the same order of kinds."""
        ...

    async def forgive(self, subjects: Sequence[AttemptSubject]) -> None:
        """Take back the last attempt on each."""
        ...


class ExternalIdentities(Protocol):
    """People whom an identity provider vouches for."""

    async def actor_of(self, token: str) -> Actor:
        """On whose behalf the bearer of that token acts. Raises ``CredentialsInvalidError``, and
        ``UnavailableError`` while the identity provider cannot be asked."""
        ...
