from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from application.identity.allowance_ports import Allowances
from application.identity.session_ports import Sessions
from application.operations.ports import StoredSettings
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from application.shared.ports import UnitOfWork
from domain.identity.allowance import Allowance
from domain.identity.api_key import ApiKey
from domain.identity.membership import Member, Membership
from domain.identity.team import Team
from domain.identity.user import User
from domain.shared.ids import KeyId, TeamId, UserId


class ApiKeys(Protocol):
    """The keys of all teams, inside a unit of work."""

    async def add(self, key: ApiKey) -> None:
        """Raises ``KeyNameTakenError`` when a live key of the team has the name, and
        ``MemberNotFoundError`` when its user is not in the team."""
        ...

    async def get(self, team_id: TeamId, key_id: KeyId) -> ApiKey:
        """The key, locked against other writers until the unit of work ends. Raises
        ``KeyNotFoundError``, also for another team's key."""
        ...

    async def save(self, key: ApiKey) -> None:
        """Store the changed key and make every node forget what it knew of it when the unit of
        work commits. Raises ``KeyNameTakenError``."""
        ...

    async def find_by_name(self, team_id: TeamId, name: str) -> ApiKey | None:
        """The live (not revoked) key of that name."""
        ...

    async def list(
        self, team_id: TeamId, page: PageRequest, *, user_id: UserId | None = None
    ) -> Page[ApiKey]:
        """Newest first, revoked ones included; all of them, or those of one member."""
        ...

    async def live_of(self, team_id: TeamId, user_id: UserId) -> tuple[ApiKey, ...]:
        """The member's keys that are not revoked, oldest first, locked like those of ``get``."""
        ...


class Teams(Protocol):
    async def add(self, team: Team) -> None: ...

    async def get(self, team_id: TeamId) -> Team:
        """The team, locked until the unit of work ends. Raises ``TeamNotFoundError``."""
        ...

    async def save(self, team: Team) -> None:
        """Store the changed team and make every node forget the credentials of its keys when the
        unit of work commits."""
        ...

    async def first(self) -> Team | None:
        """The oldest team, or ``None`` on a fresh database. Locks out every other caller of
        ``first`` until the unit of work ends, so that two servers starting at once make one team.
        """
        ...

    async def named(self, name: str) -> tuple[Team, ...]:
        """Oldest first, not locked; names are not unique."""
        ...

    async def list(self, page: PageRequest, *, user_id: UserId | None = None) -> Page[Team]:
        """Oldest first; all of them, or those of one user."""
        ...


class Users(Protocol):
    """The people on this server, whatever teams they are in."""

    async def add(self, user: User) -> None:
        """Raises ``EmailTakenError`` or ``ExternalIdentityTakenError``."""
        ...

    async def get(self, user_id: UserId) -> User:
        """The user, locked until the unit of work ends. Raises ``UserNotFoundError``."""
        ...

    async def find_by_email(self, email: str) -> User | None:
        """By the normalised address, not locked."""
        ...

    async def find_by_external(self, issuer: str, subject: str) -> User | None:
        """By who the person is to an identity provider, not locked."""
        ...

    async def save(self, user: User) -> None:
        """Store the changed user and make every node forget the user's sessions and keys when the
        unit of work commits. Raises what ``add`` raises, and ``UserNotFoundError``."""
        ...

    async def owner_of(self, team_id: TeamId) -> User:
        """The oldest owner of the team. Raises ``TeamNotFoundError``."""
        ...


class Memberships(Protocol):
    """Who is in which team, and as what. Every change makes all nodes forget the user's sessions
    and keys when the unit of work commits."""

    async def add(self, membership: Membership) -> None:
        """Raises ``AlreadyMemberError``."""
        ...

    async def get(self, team_id: TeamId, user_id: UserId) -> Membership:
        """Locked until the unit of work ends. Raises ``MemberNotFoundError``. Whoever also needs
        the user or the count of the owners asks for them first, so that nobody waits in a circle.
        """
        ...

    async def save(self, membership: Membership) -> None:
        """Raises ``MemberNotFoundError``."""
        ...

    async def remove(self, membership: Membership) -> None:
        """Ends the user's sessions in the team too; the user's keys become nobody's. Raises
        ``MemberNotFoundError``."""
        ...

    async def find_member(self, team_id: TeamId, user_id: UserId) -> Member:
        """Not locked. Raises ``MemberNotFoundError``."""
        ...

    async def list(self, team_id: TeamId, page: PageRequest) -> Page[Member]:
        """Oldest users first, those who are not active included."""
        ...

    async def of_user(self, user_id: UserId) -> tuple[Membership, ...]:
        """All that the user has, the one in the oldest team first."""
        ...

    async def count_active_owners(self, team_id: TeamId) -> int:
        """How many owners are active people, who can log in. Whoever counts the team's owners next
        waits until the unit of work ends, so that two owners cannot both leave because there is
        the other one."""
        ...


class IdentityUnitOfWork(UnitOfWork, Protocol):
    @property
    def api_keys(self) -> ApiKeys: ...

    @property
    def teams(self) -> Teams: ...

    @property
    def users(self) -> Users: ...

    @property
    def memberships(self) -> Memberships: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def allowances(self) -> Allowances: ...

    @property
    def settings(self) -> StoredSettings: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """An API key with what the data plane needs of its team, and all that bounds its calls.
    ``actor`` is on whose behalf those who show it come; it is the same at every call."""

    key: ApiKey
    allowances: tuple[Allowance, ...] = ()
    actor: Actor = field(init=False, compare=False)

    def __post_init__(self) -> None:
        key = self.key
        actor = Actor(
            team_id=key.team_id,
            user_id=key.user_id,
            key_id=key.id,
            permissions=key.permissions,
            allowed_models=key.allowed_models,
            allowances=self.allowances,
        )
        object.__setattr__(self, "actor", actor)


class Credentials(Protocol):
    """Keys by the hash of their secret, for authentication. Warm look-ups cost no round trip; a
    change of the key or its team on any node is seen at once."""

    async def find(self, secret_hash: bytes) -> Credential | None:
        """Raises ``UnavailableError`` while the database is away and the key is not known."""
        ...


class KeyActivity(Protocol):
    """When keys were last used; kept in memory and written in batches."""

    def touch(self, key: ApiKey, at: datetime) -> None: ...

    async def flush(self) -> None:
        """Write what was touched since the last flush."""
        ...


class PasswordHasher(Protocol):
    """Slow on purpose, and never on the event loop. Raises ``UnavailableError`` when more wait than
    it could serve in a reasonable time."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the one of the hash. Without a hash the answer is no, after the
        same time."""
        ...

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with weaker parameters than a new one would be."""
        ...


class CommonPasswords(Protocol):
    async def include(self, password: str) -> bool:
        """Whether the password is among those that are tried first, in whatever case."""
        ...
