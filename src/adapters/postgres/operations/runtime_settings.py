import asyncio
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast
from uuid import UUID

import asyncpg
import structlog

from adapters.postgres.engine import connect
from adapters.postgres.errors import translated
from adapters.postgres.held_connection import HeldConnection
from adapters.postgres.operations.stored_settings import CHANNEL
from application.operations.ports import RuntimeSettings, Sealed, SecretBox, StoredSetting
from domain.operations.runtime_setting import RuntimeSetting, SettingRegistry
from domain.operations.runtime_settings import REGISTRY
from domain.shared.errors import InvalidError, StoaError, UnavailableError
from domain.shared.ids import TeamId

log = structlog.get_logger()

RETRY_S = 0.1

_OF_SERVER = "SELECT NULL::uuid AS team_id, name, value, sealed FROM server_settings"
_OF_TEAMS = "SELECT team_id, name, value, sealed FROM team_settings"

T = TypeVar("T")
Place = tuple[UUID | None, str]


class PostgresRuntimeSettings(RuntimeSettings):
    """All stored settings in memory, read again when the database says that they changed, and
    whenever it could not be heard for a while. Until it can be heard again the last known values
    hold."""

    def __init__(
        self,
        database_url: str,
        *,
        environment: Mapping[str, object],
        secrets: SecretBox,
        registry: SettingRegistry = REGISTRY,
    ) -> None:
        """``environment`` are the values that it gives, parsed, by the names of the settings."""
        self._database_url = database_url
        self._environment = environment
        self._secrets = secrets
        self._registry = registry
        self._values: dict[Place, object] = {}
        self._changed: set[TeamId | None] = set()
        self._reading = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        self._session = HeldConnection(
            database_url, purpose="settings", on_connected=self._listen, on_lost=lambda: None
        )

    @property
    def is_listening(self) -> bool:
        return self._session.is_held

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        await self._session.stop()
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    def get(self, setting: RuntimeSetting[T], team_id: TeamId | None = None) -> T:
        place = (team_id if setting.is_of_team else None, setting.name)
        if place not in self._values:
            return self.beneath(setting)[0]
        value = self._values[place]
        if isinstance(value, StoaError):
            raise value.with_traceback(None)
        return cast("T", value)

    def beneath(self, setting: RuntimeSetting[T]) -> tuple[T, bool]:
        if setting.name in self._environment:
            return cast("T", self._environment[setting.name]), True
        return setting.default, False

    async def catch_up(self, owners: frozenset[TeamId | None]) -> None:
        async with self._reading:
            try:
                await self._read_again(set(owners))
            except UnavailableError as error:
                log.warning("settings.not_read", reason=error.message)
                self._follow(owners)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, self._on_change)
        async with self._reading:
            # What changed up to here is in what is read now.
            self._changed.clear()
            self._values = self._read(await connection.fetch(f"{_OF_SERVER} UNION ALL {_OF_TEAMS}"))

    def _on_change(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._follow({TeamId(UUID(str(payload))) if payload else None})

    def _follow(self, owners: Iterable[TeamId | None]) -> None:
        self._changed.update(owners)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        while self._changed:
            async with self._reading:
                changed, self._changed = self._changed, set()
                try:
                    await self._read_again(changed)
                except UnavailableError as error:
                    self._changed |= changed
                    log.warning("settings.not_read", reason=error.message)
            if self._changed:
                await asyncio.sleep(RETRY_S)

    async def _read_again(self, changed: set[TeamId | None]) -> None:
        with translated():
            # Not from the pool: that may be exhausted, and this shall not wait for it.
            connection = await connect(self._database_url, purpose="settings reader")
            try:
                rows = await connection.fetch(
                    f"{_OF_TEAMS} WHERE team_id = ANY($1)", changed - {None}
                )
                if None in changed:
                    rows += await connection.fetch(_OF_SERVER)
            finally:
                await connection.close()
        others = {place: value for place, value in self._values.items() if place[0] not in changed}
        self._values = others | self._read(rows)

    def _read(self, rows: Iterable[asyncpg.Record]) -> dict[Place, object]:
        values: dict[Place, object] = {}
        for one in map(_setting_of, rows):
            setting = self._registry.by_name.get(one.name)
            # A newer Stoa, or an older one, may have settings that this one does not know.
            if setting is None or setting.is_of_team != (one.team_id is not None):
                continue
            try:
                values[one.team_id, one.name] = setting.parse(self._opened(one))
            except InvalidError as error:
                log.error(  # noqa: TRY400 - the reason says it all
                    "setting.disregarded", team_id=one.team_id, reason=error.message
                )
            except StoaError as error:
                # It is raised where the secret is asked for; the other settings hold.
                log.error(  # noqa: TRY400 - the reason says it all
                    "setting.unreadable", team_id=one.team_id, reason=error.message
                )
                values[one.team_id, one.name] = error
        return values

    def _opened(self, stored: StoredSetting) -> str:
        if isinstance(stored.value, Sealed):
            return self._secrets.open(stored.value, place=stored.place)
        return stored.value


def _setting_of(row: asyncpg.Record) -> StoredSetting:
    return StoredSetting(
        team_id=row["team_id"],
        name=row["name"],
        value=row["value"] if row["sealed"] is None else Sealed(row["sealed"]),
    )
