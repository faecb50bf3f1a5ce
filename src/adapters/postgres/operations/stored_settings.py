from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Integer,
    Row,
    Select,
    Uuid,
    cast,
    delete,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.operations.setting_rows import server_settings, team_settings
from application.operations.ports import Sealed, StoredSetting, StoredSettings
from domain.shared.ids import TeamId

# Every process listens here; the payload is the team whose settings changed, or nothing for those
# of the server.
CHANNEL = "stoa_settings"
_LOCK = 0x53746F61

_OF_SERVER = select(
    cast(null(), Uuid).label("team_id"),
    server_settings.c.name,
    server_settings.c.value,
    server_settings.c.sealed,
)
_OF_TEAMS = select(team_settings)


class PostgresStoredSettings(StoredSettings):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, team_id: TeamId | None) -> None:
        whose = func.hashtext(str(team_id or "server"))
        with translated():
            await self._session.execute(
                select(func.pg_advisory_xact_lock(literal(_LOCK, Integer), whose))
            )

    async def of(self, team_id: TeamId | None) -> Sequence[StoredSetting]:
        with translated():
            rows = await self._session.execute(_selected(team_id).order_by("name"))
        return tuple(map(_setting_of, rows))

    async def secrets(self) -> Sequence[StoredSetting]:
        with translated():
            rows = [
                *await self._session.execute(
                    _OF_SERVER.where(server_settings.c.sealed.is_not(None)).with_for_update()
                ),
                *await self._session.execute(
                    _OF_TEAMS.where(team_settings.c.sealed.is_not(None))
                    .order_by(team_settings.c.team_id, team_settings.c.name)
                    .with_for_update()
                ),
            ]
        return tuple(map(_setting_of, rows))

    async def put(self, setting: StoredSetting) -> None:
        is_sealed = isinstance(setting.value, Sealed)
        content = {
            "value": None if is_sealed else setting.value,
            "sealed": setting.value.ciphertext if isinstance(setting.value, Sealed) else None,
        }
        if setting.team_id is None:
            statement = insert(server_settings).values(name=setting.name, **content)
            key = [server_settings.c.name]
        else:
            statement = insert(team_settings).values(
                team_id=setting.team_id, name=setting.name, **content
            )
            key = [team_settings.c.team_id, team_settings.c.name]
        with translated():
            await self._session.execute(
                statement.on_conflict_do_update(index_elements=key, set_=content)
            )
        await self._announce(setting.team_id)

    async def remove(self, team_id: TeamId | None, name: str) -> None:
        statement = (
            delete(server_settings).where(server_settings.c.name == name)
            if team_id is None
            else delete(team_settings).where(
                team_settings.c.team_id == team_id, team_settings.c.name == name
            )
        )
        with translated():
            await self._session.execute(statement)
        await self._announce(team_id)

    async def _announce(self, team_id: TeamId | None) -> None:
        with translated():
            await self._session.execute(select(func.pg_notify(CHANNEL, str(team_id or ""))))


def _selected(team_id: TeamId | None) -> Select[Any]:
    """The rows of a team, or of the server."""
    return _OF_SERVER if team_id is None else _OF_TEAMS.where(team_settings.c.team_id == team_id)


def _setting_of(row: Row[Any]) -> StoredSetting:
    return StoredSetting(
        team_id=None if row.team_id is None else TeamId(row.team_id),
        name=row.name,
        value=row.value if row.sealed is None else Sealed(row.sealed),
    )
