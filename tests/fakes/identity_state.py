import asyncio
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from domain.identity.allowance import Allowance, Subject
from domain.identity.api_key import ApiKey
from domain.identity.joining.invitation import Invitation
from domain.identity.joining.password_reset import PasswordReset
from domain.identity.joining.setup_token import SetupToken
from domain.identity.membership import Membership
from domain.identity.session import RefreshToken, Session
from domain.identity.team import Team
from domain.identity.user import User
from domain.operations.audit import AuditEntry
from domain.operations.event import Event
from domain.shared.ids import (
    InvitationId,
    KeyId,
    PasswordResetId,
    SessionId,
    SetupTokenId,
    TeamId,
    UserId,
)
from tests.fakes.settings import Changed, InMemorySettings, InMemoryStoredSettings

Id = TypeVar("Id", bound=UUID)
T = TypeVar("T")


@dataclass(slots=True)
class IdentityState:
    teams: dict[TeamId, Team] = field(default_factory=dict)
    users: dict[UserId, User] = field(default_factory=dict)
    memberships: dict[tuple[TeamId, UserId], Membership] = field(default_factory=dict)
    left: set[tuple[TeamId, UserId]] = field(default_factory=set)
    keys: dict[KeyId, ApiKey] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    refresh_tokens: dict[bytes, RefreshToken] = field(default_factory=dict)
    allowances: dict[tuple[TeamId, Subject], Allowance] = field(default_factory=dict)
    setup_tokens: dict[SetupTokenId, SetupToken] = field(default_factory=dict)
    password_resets: dict[PasswordResetId, PasswordReset] = field(default_factory=dict)
    invitations: dict[InvitationId, Invitation] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)
    audit: list[AuditEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def take_over(self, newer: "IdentityState") -> None:
        self.teams |= newer.teams
        self.users |= newer.users
        self.memberships |= newer.memberships
        for place in newer.left:
            self.memberships.pop(place, None)
        self.keys |= newer.keys
        self.sessions |= newer.sessions
        self.refresh_tokens |= newer.refresh_tokens
        self.allowances |= newer.allowances
        self.setup_tokens |= newer.setup_tokens
        self.password_resets |= newer.password_resets
        self.invitations |= newer.invitations
        self.setup_tokens = _without(newer.gone, self.setup_tokens)
        self.password_resets = _without(newer.gone, self.password_resets)
        self.audit += newer.audit
        self.events += newer.events


class InMemoryIdentity:
    """What several units of work share: the committed state and the locks."""

    def __init__(self) -> None:
        self.committed = IdentityState()
        self.settings = InMemorySettings()
        self.locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)


class Transaction:
    def __init__(self, database: InMemoryIdentity) -> None:
        self.written = IdentityState()
        self.changed_settings: Changed = {}
        self._database = database
        self._held: dict[Hashable, asyncio.Lock] = {}

    async def lock(self, *what: Hashable) -> None:
        """Wait until nobody else holds the lock, and hold it to the end."""
        if what not in self._held:
            lock = self._database.locks[what]
            await lock.acquire()
            self._held[what] = lock

    @property
    def settings(self) -> InMemoryStoredSettings:
        return InMemoryStoredSettings(
            self._database.settings,
            self.changed_settings,
            lambda team_id: self.lock("settings", team_id),
        )

    def commit(self) -> None:
        self._database.committed.take_over(self.written)
        self._database.settings.take_over(self.changed_settings)
        self.written = IdentityState()
        self.changed_settings = {}

    def end(self) -> None:
        for lock in self._held.values():
            lock.release()
        self._held.clear()

    def teams(self) -> dict[TeamId, Team]:
        return self._database.committed.teams | self.written.teams

    def users(self) -> dict[UserId, User]:
        return self._database.committed.users | self.written.users

    def memberships(self) -> dict[tuple[TeamId, UserId], Membership]:
        known = self._database.committed.memberships | self.written.memberships
        return {place: found for place, found in known.items() if place not in self.written.left}

    def sessions(self) -> dict[SessionId, Session]:
        """A session goes with the membership that it acts in."""
        memberships = self.memberships()
        known = self._database.committed.sessions | self.written.sessions
        return {
            session_id: session
            for session_id, session in known.items()
            if (session.team_id, session.user_id) in memberships
        }

    def refresh_tokens(self) -> dict[bytes, RefreshToken]:
        return self._database.committed.refresh_tokens | self.written.refresh_tokens

    def put(self, membership: Membership) -> None:
        place = (membership.team_id, membership.user_id)
        self.written.left.discard(place)
        self.written.memberships[place] = membership

    def remove(self, membership: Membership) -> None:
        self.written.left.add((membership.team_id, membership.user_id))

    def keys(self) -> dict[KeyId, ApiKey]:
        return self._database.committed.keys | self.written.keys

    def setup_tokens(self) -> dict[SetupTokenId, SetupToken]:
        known = self._database.committed.setup_tokens | self.written.setup_tokens
        return _without(self.written.gone, known)

    def password_resets(self) -> dict[PasswordResetId, PasswordReset]:
        known = self._database.committed.password_resets | self.written.password_resets
        return _without(self.written.gone, known)

    def invitations(self) -> dict[InvitationId, Invitation]:
        return self._database.committed.invitations | self.written.invitations

    def allowances(self) -> dict[tuple[TeamId, Subject], Allowance]:
        return self._database.committed.allowances | self.written.allowances


def _without(gone: set[UUID], known: dict[Id, T]) -> dict[Id, T]:
    return {id_: found for id_, found in known.items() if id_ not in gone}
