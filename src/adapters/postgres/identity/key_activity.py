from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from application.identity.ports import KeyActivity
from domain.identity.api_key import ApiKey
from domain.shared.errors import UnavailableError
from domain.shared.ids import KeyId, TeamId

log = structlog.get_logger()

_UPDATE = text(
    "UPDATE api_keys AS k SET last_used_at = greatest(k.last_used_at, used.at)"
    " FROM unnest(CAST(:teams AS uuid[]), CAST(:keys AS uuid[]), CAST(:times AS timestamptz[]))"
    " AS used (team_id, id, at)"
    " WHERE k.team_id = used.team_id AND k.id = used.id"
)


class PostgresKeyActivity(KeyActivity):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._touched: dict[tuple[TeamId, KeyId], datetime] = {}

    def touch(self, key: ApiKey, at: datetime) -> None:
        name = (key.team_id, key.id)
        before = self._touched.get(name)
        if before is None or before < at:
            self._touched[name] = at

    async def stop(self) -> None:
        """Write what there is; where the database is away it is only said, since the end of the
        process must not depend on it."""
        try:
            await self.flush()
        except UnavailableError:
            log.warning("key_activity.lost", keys=len(self._touched))

    async def flush(self) -> None:
        if not self._touched:
            return
        touched, self._touched = self._touched, {}
        # In the same order on every node, so that two of them cannot wait for each other.
        used = sorted(touched.items())
        try:
            with translated():
                async with self._engine.begin() as connection:
                    await connection.execute(
                        _UPDATE,
                        {
                            "teams": [team_id for (team_id, _), _ in used],
                            "keys": [key_id for (_, key_id), _ in used],
                            "times": [at for _, at in used],
                        },
                    )
        except BaseException:
            for name, at in touched.items():
                self._touched[name] = max(at, self._touched.get(name, at))
            raise
