"""The stored settings in memory, with the values that they give the process."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

from application.operations.ports import (
    CredentialStore,
    OperationsUnitOfWork,
    Sealed,
    SecretBox,
    SettingsUnitOfWork,
    StoredCredentials,
    StoredSetting,
    StoredSettings,
)
from domain.operations.audit import AuditEntry
from domain.operations.event import Event
from domain.operations.runtime_setting import SettingRegistry
from domain.operations.runtime_settings import REGISTRY
from domain.shared.ids import TeamId
from tests.fakes.records import InMemoryAuditTrail, InMemoryEventLog
from tests.fakes.retention import FixedOperators
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.fakes.secret_box import ReversibleSecretBox

Place = tuple[TeamId | None, str]
Changed = dict[Place, StoredSetting | None]


class InMemorySettings:
    """What several units of work share. ``runtime`` follows every commit."""

    def __init__(
        self,
        environment: Mapping[str, object] | None = None,
        secrets: SecretBox | None = None,
        registry: SettingRegistry = REGISTRY,
    ) -> None:
        self.stored: dict[Place, StoredSetting] = {}
        self.credentials: dict[UUID, StoredCredentials] = {}
        self.audit: list[AuditEntry] = []
        self.events: list[Event] = []
        self.locks: defaultdict[TeamId | None, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.registry = registry
        self.operators = FixedOperators()
        self.secrets = secrets or ReversibleSecretBox()
        self.runtime = InMemoryRuntimeSettings(environment)

    def make(self, team_id: TeamId | None, name: str, value: str | Sealed) -> StoredSetting:
        """Store it as if it had always been there."""
        stored = StoredSetting(team_id=team_id, name=name, value=value)
        self.stored[team_id, name] = stored
        return stored

    def take_over(self, changed: Mapping[Place, StoredSetting | None]) -> None:
        for (team_id, name), stored in changed.items():
            setting = self.registry.by_name[name]
            if stored is None:
                self.stored.pop((team_id, name), None)
                self.runtime.reset(setting, team_id)
                continue
            self.stored[team_id, name] = stored
            text = stored.value
            if isinstance(text, Sealed):
                text = self.secrets.open(text, place=stored.place)
            self.runtime.set(setting, setting.parse(text), team_id)


class InMemoryStoredSettings(StoredSettings):
    """``changed`` is what the unit of work has written so far."""

    def __init__(
        self,
        database: InMemorySettings,
        changed: Changed,
        lock: Callable[[TeamId | None], Awaitable[None]],
    ) -> None:
        self._database = database
        self._changed = changed
        self._lock = lock

    async def lock(self, team_id: TeamId | None) -> None:
        await self._lock(team_id)

    async def of(self, team_id: TeamId | None) -> Sequence[StoredSetting]:
        return [stored for stored in self._all() if stored.team_id == team_id]

    async def secrets(self) -> Sequence[StoredSetting]:
        return [stored for stored in self._all() if isinstance(stored.value, Sealed)]

    async def put(self, setting: StoredSetting) -> None:
        self._changed[setting.team_id, setting.name] = setting

    async def remove(self, team_id: TeamId | None, name: str) -> None:
        self._changed[team_id, name] = None

    def _all(self) -> list[StoredSetting]:
        now = {**self._database.stored, **self._changed}
        return sorted(filter(None, now.values()), key=lambda stored: stored.name)


class InMemoryCredentialStore(CredentialStore):
    """``changed`` is what the unit of work has written so far."""

    def __init__(self, database: InMemorySettings, changed: dict[UUID, StoredCredentials]) -> None:
        self._database = database
        self._changed = changed

    async def all(self) -> Sequence[StoredCredentials]:
        return tuple({**self._database.credentials, **self._changed}.values())

    async def put(self, credentials: StoredCredentials) -> None:
        self._changed[credentials.id] = credentials


class InMemorySettingsUnitOfWork(SettingsUnitOfWork, OperationsUnitOfWork):
    def __init__(self, database: InMemorySettings | None = None) -> None:
        self.database = database or InMemorySettings()
        self.changed: Changed = {}
        self.changed_credentials: dict[UUID, StoredCredentials] = {}
        self._audit: list[AuditEntry] = []
        self._events: list[Event] = []
        self._held: dict[TeamId | None, asyncio.Lock] = {}
        self._open = False

    async def __aenter__(self) -> Self:
        if self._open:
            raise RuntimeError("This unit of work is open already.")
        self._open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for lock in self._held.values():
            lock.release()
        self._held.clear()
        self._forget()
        self._open = False

    async def commit(self) -> None:
        self.database.take_over(self.changed)
        self.database.credentials |= self.changed_credentials
        self.database.audit += self._audit
        self.database.events += self._events
        self._forget()

    async def _lock(self, team_id: TeamId | None) -> None:
        if team_id not in self._held:
            lock = self.database.locks[team_id]
            await lock.acquire()
            self._held[team_id] = lock

    @property
    def settings(self) -> InMemoryStoredSettings:
        return InMemoryStoredSettings(self.database, self.changed, self._lock)

    @property
    def credentials(self) -> InMemoryCredentialStore:
        return InMemoryCredentialStore(self.database, self.changed_credentials)

    @property
    def operators(self) -> FixedOperators:
        return self.database.operators

    @property
    def audit(self) -> InMemoryAuditTrail:
        return InMemoryAuditTrail(self._audit)

    @property
    def events(self) -> InMemoryEventLog:
        return InMemoryEventLog(self._events)

    def _forget(self) -> None:
        self.changed = {}
        self.changed_credentials = {}
        self._audit = []
        self._events = []
