import asyncio
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field

from domain.identity.api_key import ApiKey
from domain.identity.membership import Membership
from domain.identity.team import Team
from domain.identity.user import User
from domain.operations.audit import AuditEntry
from domain.operations.event import Event
from domain.shared.ids import KeyId, TeamId, UserId


@dataclass(slots=True)
class IdentityState:
    teams: dict[TeamId, Team] = field(default_factory=dict)
    users: dict[UserId, User] = field(default_factory=dict)
    memberships: dict[tuple[TeamId, UserId], Membership] = field(default_factory=dict)
    left: set[tuple[TeamId, UserId]] = field(default_factory=set)
    keys: dict[KeyId, ApiKey] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def take_over(self, newer: "IdentityState") -> None:
        self.teams |= newer.teams
        self.users |= newer.users
        self.memberships |= newer.memberships
        for place in newer.left:
            self.memberships.pop(place, None)
        self.keys |= newer.keys
        self.audit += newer.audit
        self.events += newer.events


class InMemoryIdentity:
    """What several units of work share: the committed state and the locks."""

    def __init__(self) -> None:
        self.committed = IdentityState()
        self.locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)


class Transaction:
    def __init__(self, database: InMemoryIdentity) -> None:
        self.written = IdentityState()
        self._database = database
        self._held: dict[Hashable, asyncio.Lock] = {}

    async def lock(self, *what: Hashable) -> None:
        """Wait until nobody else holds the lock, and hold it to the end."""
        if what not in self._held:
            lock = self._database.locks[what]
            await lock.acquire()
            self._held[what] = lock

    def commit(self) -> None:
        self._database.committed.take_over(self.written)
        self.written = IdentityState()

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

    def put(self, membership: Membership) -> None:
        place = (membership.team_id, membership.user_id)
        self.written.left.discard(place)
        self.written.memberships[place] = membership

    def remove(self, membership: Membership) -> None:
        self.written.left.add((membership.team_id, membership.user_id))

    def keys(self) -> dict[KeyId, ApiKey]:
        return self._database.committed.keys | self.written.keys
