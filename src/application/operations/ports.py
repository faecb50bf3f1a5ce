from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from application.shared.ports import UnitOfWork
from domain.inference.call import Call
from domain.models.served_model import ModelKind
from domain.operations.mail import Mail
from domain.operations.retention import RecordKind, Removed
from domain.operations.runtime_setting import RuntimeSetting
from domain.shared.ids import TeamId

T = TypeVar("T")


class DatabaseServer(Protocol):
    """The Postgres that Stoa stores everything in: one that it runs itself, or somebody else's."""

    async def start(self) -> str:
        """Bring the server up, or take over one left running by a killed process, and return its
        URL (``postgresql://…``, without a driver name).

        Raises ``DataDirectoryInUseError`` when another Stoa owns the data directory,
        ``DataDirectoryError`` when it cannot be written, ``DatabaseServerError`` when the server
        does not come up (its message quotes the last log line).
        """
        ...

    async def stop(self) -> None:
        """Stop the server if it was started here; idempotent."""
        ...


class HealthStatus(StrEnum):
    """``degraded`` still serves, with something missing; ``unhealthy`` does not serve."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentHealth:
    """How one part of Stoa is; ``detail`` is safe to show to whoever may ask."""

    status: HealthStatus = HealthStatus.HEALTHY
    detail: str | None = None


class HealthProbe(Protocol):
    """Looks at one part of Stoa."""

    @property
    def name(self) -> str:
        """``database``, ``ledger``, …: unique among the probes."""
        ...

    async def check(self) -> ComponentHealth:
        """Look now. An exception or a long silence counts as unhealthy."""
        ...


class StoreProbe(HealthProbe, Protocol):
    """Looks at a store that Stoa works without, to some degree."""

    @property
    def is_there(self) -> bool | None:
        """As it was found the last time; ``None`` before the first."""
        ...


class CallObserver(Protocol):
    """Sees the outcome of every model call once, on the path of the call: it must be quick, and it
    never raises."""

    def observe(self, call: Call) -> None: ...


class RuntimeSettings(Protocol):
    """The values that settings have now. They are in memory; a change on any node is seen within a
    second, or as soon as the database can be heard again."""

    def get(self, setting: RuntimeSetting[T], team_id: TeamId | None = None) -> T:
        """What is stored, else what the environment says, else the default. A setting of the
        server disregards ``team_id``; one of teams has without it the value that lies beneath
        theirs. Raises ``SecretUnreadableError`` for a secret that this node cannot decrypt."""
        ...

    def beneath(self, setting: RuntimeSetting[T]) -> tuple[T, bool]:
        """What a setting is where nothing is stored, and whether the environment says so."""
        ...

    async def catch_up(self, owners: frozenset[TeamId | None]) -> None:
        """Returns when this process obeys what has been committed for those teams (``None`` is the
        server), so that whoever changed a setting finds it changed. Never raises: while the
        database is away it follows as soon as it can."""
        ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored."""

    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSetting:
    """The value of a setting of the server (``team_id`` is ``None``) or of a team."""

    team_id: TeamId | None
    name: str
    value: str | Sealed

    @property
    def place(self) -> str:
        return f"setting {self.team_id or 'server'} {self.name}"


class StoredSettings(Protocol):
    """The settings in the database, inside a unit of work."""

    async def lock(self, team_id: TeamId | None) -> None:
        """Keep others who lock the settings of the team, or of the server, waiting until the unit
        of work ends."""
        ...

    async def of(self, team_id: TeamId | None) -> Sequence[StoredSetting]:
        """Those of the team, or of the server, ordered by name."""
        ...

    async def secrets(self) -> Sequence[StoredSetting]:
        """The sealed ones of the server and of all teams; nobody else changes them until the unit
        of work ends."""
        ...

    async def put(self, setting: StoredSetting) -> None:
        """Store it, and make every node read it when the unit of work commits."""
        ...

    async def remove(self, team_id: TeamId | None, name: str) -> None:
        """Forget it on every node, if there is one, when the unit of work commits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredentials:
    """The secrets of something that a team has set up. They open in their ``place`` only."""

    team_id: TeamId
    id: UUID
    place: str
    sealed: Sealed


class CredentialStore(Protocol):
    """What is stored sealed besides settings, inside a unit of work."""

    async def all(self) -> Sequence[StoredCredentials]:
        """Those of all teams; nobody else changes them until the unit of work ends."""
        ...

    async def put(self, credentials: StoredCredentials) -> None:
        """Replace what is stored, and make every node read it when the unit of work commits."""
        ...


class SettingsUnitOfWork(UnitOfWork, Protocol):
    @property
    def settings(self) -> StoredSettings: ...

    @property
    def credentials(self) -> CredentialStore: ...


class SecretBox(Protocol):
    """Encrypts what is stored. ``place`` says where a secret belongs; it cannot be opened as that
    of another place."""

    def seal(self, secret: str, *, place: str) -> Sealed:
        """Raises ``SecretKeyMissingError``."""
        ...

    def open(self, sealed: Sealed, *, place: str) -> str:
        """Raises ``SecretUnreadableError`` and ``SecretKeyMissingError``."""
        ...

    def is_current(self, sealed: Sealed) -> bool:
        """Whether it was sealed with the present key, and not with one from before a rotation."""
        ...


class ServedKinds(Protocol):
    """What a team is served, as far as settings name it."""

    def kind_of(self, name: str, team_id: TeamId) -> ModelKind | None:
        """The kind of the model or route of that name or alias; ``None`` if there is none."""
        ...


class Mailer(Protocol):
    """Sends mail to people."""

    @property
    def is_there(self) -> bool:
        """Whether mail can be sent at all on this server."""
        ...

    async def send(self, mail: Mail) -> None:
        """Hand the mail on. Raises ``MailFailedError``, or ``MailNotConfiguredError`` where mail
        cannot be sent at all."""
        ...


class OldRecords(Protocol):
    """The records of all teams, for whoever removes the old ones."""

    def alone(self) -> AbstractAsyncContextManager[bool]:
        """Whether nobody else, on whatever node, is in the block; nobody else gets in then."""
        ...

    async def remove(self, kind: RecordKind, before: datetime, *, dry_run: bool) -> Removed:
        """Remove what is older, as far as it can go; with ``dry_run`` only count it. Raises
        ``UnavailableError`` when it would have to wait for those who work."""
        ...


class Operators(Protocol):
    async def teams(self) -> Sequence[TeamId]:
        """Every team that has a member who may manage the server."""
        ...


class OperationsUnitOfWork(UnitOfWork, Protocol):
    @property
    def operators(self) -> Operators: ...
