from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg
import structlog

from adapters.postgres.followed import Followed
from adapters.postgres.operations.stored_settings import CHANNEL
from application.operations.ports import RuntimeSettings, Sealed, SecretBox, StoredSetting
from domain.operations.runtime_setting import RuntimeSetting, SettingRegistry, SettingScope
from domain.operations.runtime_settings import REGISTRY
from domain.shared.errors import InvalidError, StoaError
from domain.shared.ids import TeamId

log = structlog.get_logger()

_OF_SERVER = "SELECT NULL::uuid AS team_id, name, value, sealed FROM server_settings"
_OF_TEAMS = "SELECT team_id, name, value, sealed FROM team_settings"

T = TypeVar("T")
Place = tuple[UUID | None, str]
_NOTHING = object()
_TEAM = SettingScope.TEAM


class PostgresRuntimeSettings(RuntimeSettings):
    """All stored settings in memory, read again when the database says that they changed, and
    whenever it could not be heard for a while. Until it can be heard again the last known values
    hold."""

    def __init__(
        self,
        database_url: str,
        *,
        environment: Mapping[str, Any],
        secrets: SecretBox,
        registry: SettingRegistry = REGISTRY,
    ) -> None:
        """``environment`` are the values that it gives, parsed, by the names of the settings."""
        self._environment = environment
        self._secrets = secrets
        self._registry = registry
        self._values: dict[Place, Any] = {}
        self._followed = Followed(
            database_url,
            what="settings",
            channel=CHANNEL,
            owner_of=_owner_of,
            read_all=self._read_all,
            read_of=self._read_of,
        )

    @property
    def is_listening(self) -> bool:
        return self._followed.is_listening

    async def start(self) -> None:
        await self._followed.start()

    async def stop(self) -> None:
        await self._followed.stop()

    def get(self, setting: RuntimeSetting[T], team_id: TeamId | None = None) -> T:
        # Several times at every call.
        name = setting.name
        value = self._values.get((team_id if setting.scope is _TEAM else None, name), _NOTHING)
        if value is _NOTHING:
            value = self._environment.get(name, setting.default)
        elif isinstance(value, StoaError):
            raise value.with_traceback(None)
        found: T = value
        return found

    def beneath(self, setting: RuntimeSetting[T]) -> tuple[T, bool]:
        if setting.name in self._environment:
            return cast("T", self._environment[setting.name]), True
        return setting.default, False

    async def catch_up(self, owners: frozenset[TeamId | None]) -> None:
        await self._followed.catch_up(owners)

    async def _read_all(self, connection: asyncpg.Connection) -> None:
        self._values = self._read(await connection.fetch(f"{_OF_SERVER} UNION ALL {_OF_TEAMS}"))

    async def _read_of(
        self, connection: asyncpg.Connection, owners: frozenset[TeamId | None]
    ) -> None:
        rows = await connection.fetch(f"{_OF_TEAMS} WHERE team_id = ANY($1)", owners - {None})
        if None in owners:
            rows += await connection.fetch(_OF_SERVER)
        others = {place: value for place, value in self._values.items() if place[0] not in owners}
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


def _owner_of(payload: str) -> TeamId | None:
    return TeamId(UUID(payload)) if payload else None


def _setting_of(row: asyncpg.Record) -> StoredSetting:
    return StoredSetting(
        team_id=row["team_id"],
        name=row["name"],
        value=row["value"] if row["sealed"] is None else Sealed(row["sealed"]),
    )
