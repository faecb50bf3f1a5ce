from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime
from uuid import UUID

from application.identity.session_ports import (
    AccessTokens,
    Attempts,
    EndedSessions,
    ExternalIdentities,
    KnownSession,
    SessionActivity,
    SessionDirectory,
    Sessions,
)
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from application.shared.ports import Clock
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.attempts import AttemptSubject
from domain.identity.errors import (
    CredentialsInvalidError,
    SessionNotFoundError,
    TooManyAttemptsError,
)
from domain.identity.session import ACCESS_TOKEN_LIFETIME, RefreshToken, Session
from domain.shared.errors import UnavailableError
from domain.shared.ids import SessionId, UserId
from tests.fakes.identity_state import InMemoryIdentity, Transaction

ACCESS_PREFIX = "access "


class InMemorySessions(Sessions):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, session: Session) -> None:
        self._transaction.written.sessions[session.id] = deepcopy(session)

    async def get(self, user_id: UserId, session_id: SessionId) -> Session:
        await self._transaction.lock("session", session_id)
        session = self._transaction.sessions().get(session_id)
        if session is None or session.user_id != user_id:
            raise SessionNotFoundError
        return deepcopy(session)

    async def save(self, session: Session) -> None:
        await self.get(session.user_id, session.id)
        await self.add(session)

    async def list_live(self, user_id: UserId, at: datetime, page: PageRequest) -> Page[Session]:
        live = self._live(user_id, at)
        chosen = live[page.offset : page.offset + page.page_size]
        return Page(
            items=tuple(deepcopy(chosen)),
            total=len(live),
            page=page.page,
            page_size=page.page_size,
        )

    async def revoke_all(
        self, user_id: UserId, at: datetime, *, but: SessionId | None = None
    ) -> tuple[SessionId, ...]:
        ended = sorted(session.id for session in self._live(user_id, at) if session.id != but)
        for session_id in ended:
            session = await self.get(user_id, session_id)
            session.revoke(at)
            await self.add(session)
        return tuple(ended)

    async def add_refresh_token(self, token: RefreshToken) -> None:
        self._transaction.written.refresh_tokens[token.token_hash] = deepcopy(token)

    async def find_refresh_token(self, token_hash: bytes) -> tuple[RefreshToken, Session] | None:
        await self._transaction.lock("refresh token", token_hash)
        token = self._transaction.refresh_tokens().get(token_hash)
        if token is None or token.session_id not in self._transaction.sessions():
            return None
        await self._transaction.lock("session", token.session_id)
        session = self._transaction.sessions()[token.session_id]
        return deepcopy(token), deepcopy(session)

    async def use_refresh_token(self, token: RefreshToken, at: datetime) -> None:
        used = deepcopy(token)
        used.used_at = at
        self._transaction.written.refresh_tokens[token.token_hash] = used

    def _live(self, user_id: UserId, at: datetime) -> list[Session]:
        of_user = (
            session
            for session in self._transaction.sessions().values()
            if session.user_id == user_id and session.is_live(at)
        )
        return sorted(of_user, key=lambda session: session.id, reverse=True)


class InMemorySessionDirectory(SessionDirectory):
    """Finds committed sessions; while the database is ``away``, only those it has seen before."""

    def __init__(self, database: InMemoryIdentity) -> None:
        self.away = False
        self._database = database
        self._known: dict[bytes | SessionId, KnownSession | None] = {}

    async def find(self, reference: bytes | SessionId) -> KnownSession | None:
        if not self.away:
            self._known[reference] = self._look_up(reference)
        elif reference not in self._known:
            raise UnavailableError("The database cannot be reached.", retry_after=1.0)
        return deepcopy(self._known[reference])

    def _look_up(self, reference: bytes | SessionId) -> KnownSession | None:
        state = self._database.committed
        for session in Transaction(self._database).sessions().values():
            if reference not in (session.id, session.secret_hash):
                continue
            user = state.users[session.user_id]
            if not user.is_active:
                return None
            subjects = (
                Subject(SubjectKind.TEAM, session.team_id),
                Subject(SubjectKind.USER, session.user_id),
            )
            return KnownSession(
                session=deepcopy(session),
                role=state.memberships[session.team_id, session.user_id].role,
                is_operator=user.is_operator,
                allowances=tuple(
                    state.allowances[session.team_id, subject]
                    for subject in subjects
                    if (session.team_id, subject) in state.allowances
                ),
            )
        return None


class InMemorySessionActivity(SessionActivity):
    def __init__(self, database: InMemoryIdentity) -> None:
        self.touched: dict[SessionId, datetime] = {}
        self._database = database

    def touch(self, session: Session, at: datetime) -> None:
        self.touched[session.id] = max(at, self.touched.get(session.id, at))

    async def flush(self) -> None:
        touched, self.touched = self.touched, {}
        for session_id, at in touched.items():
            session = self._database.committed.sessions.get(session_id)
            if session is not None:
                session.last_seen_at = max(at, session.last_seen_at)


class InMemoryEndedSessions(EndedSessions):
    def __init__(self, database: InMemoryIdentity) -> None:
        self._database = database

    async def forget(self, before: datetime) -> int:
        sessions = self._database.committed.sessions
        ended = [
            session.id
            for session in sessions.values()
            if session.expires_at < before or (session.revoked_at or before) < before
        ]
        for session_id in ended:
            del sessions[session_id]
        return len(ended)


class InMemoryAttempts(Attempts):
    def __init__(self, clock: Clock) -> None:
        self.quiet_at: dict[bytes, datetime] = {}
        self._clock = clock

    async def count(self, subjects: Sequence[AttemptSubject]) -> None:
        now = self._clock.now()
        for subject in subjects:
            quiet_at = max(self.quiet_at.get(subject.hash, now), now)
            ahead = quiet_at - now - subject.limit.slack
            if ahead.total_seconds() > 0:
                raise TooManyAttemptsError(ahead.total_seconds())
            self.quiet_at[subject.hash] = quiet_at + subject.limit.every

    async def forgive(self, subjects: Sequence[AttemptSubject]) -> None:
        for subject in subjects:
            if subject.hash in self.quiet_at:
                self.quiet_at[subject.hash] -= subject.limit.every


class ReadableAccessTokens(AccessTokens):
    """Tokens that say in plain text what they stand for."""

    def issue(self, session: Session, at: datetime) -> str:
        return f"{ACCESS_PREFIX}{session.id} {(at + ACCESS_TOKEN_LIFETIME).isoformat()}"

    def session_of(self, token: str, at: datetime) -> SessionId | None:
        if not token.startswith(ACCESS_PREFIX):
            return None
        session_id, expires_at = token.removeprefix(ACCESS_PREFIX).split(" ")
        if at >= datetime.fromisoformat(expires_at):
            raise CredentialsInvalidError
        return SessionId(UUID(session_id))


class KnownOutside(ExternalIdentities):
    """Vouches for the bearers of the tokens in ``actors``."""

    def __init__(self) -> None:
        self.actors: dict[str, Actor] = {}

    async def actor_of(self, token: str) -> Actor:
        if token not in self.actors:
            raise CredentialsInvalidError
        return self.actors[token]
