from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from application.identity.external.ports import PersonActivity
from application.identity.ports import KeyActivity
from application.identity.session_ports import SessionActivity
from domain.identity.api_key import ApiKey
from domain.identity.session import Session
from domain.shared.errors import UnavailableError
from domain.shared.ids import UserId

log = structlog.get_logger()

# How often a person's last login is written at most, whatever the number of nodes.
LOGIN_EVERY = timedelta(hours=1)


class _Touches:
    """When rows were last used, by their ids; written in one statement that takes the columns of
    their ids, and the times, as arrays."""

    def __init__(self, engine: AsyncEngine, statement: TextClause, columns: Sequence[str]) -> None:
        self._engine = engine
        self._statement = statement
        self._columns = columns
        self._touched: dict[tuple[UUID, ...], datetime] = {}

    def touch(self, name: tuple[UUID, ...], at: datetime) -> None:
        before = self._touched.get(name)
        if before is None or before < at:
            self._touched[name] = at

    async def flush(self) -> None:
        if not self._touched:
            return
        touched, self._touched = self._touched, {}
        # In the same order on every node, so that two of them cannot wait for each other.
        used = sorted(touched.items())
        arrays: dict[str, list[object]] = {"times": [at for _, at in used]}
        for position, column in enumerate(self._columns):
            arrays[column] = [name[position] for name, _ in used]
        try:
            with translated():
                async with self._engine.begin() as connection:
                    await connection.execute(self._statement, arrays)
        except BaseException:
            for name, at in touched.items():
                self._touched[name] = max(at, self._touched.get(name, at))
            raise

    async def stop(self, what: str) -> None:
        """Write what there is; where the database is away it is only said, since the end of the
        process must not depend on it."""
        try:
            await self.flush()
        except UnavailableError:
            event = f"{what}_activity.lost"
            log.warning(event, **{f"{what}s": len(self._touched)})


_KEYS_USED = text(
    "UPDATE api_keys AS k SET last_used_at = greatest(k.last_used_at, used.at)"
    " FROM unnest(CAST(:teams AS uuid[]), CAST(:keys AS uuid[]), CAST(:times AS timestamptz[]))"
    " AS used (team_id, id, at)"
    " WHERE k.team_id = used.team_id AND k.id = used.id"
)
_SESSIONS_SEEN = text(
    "UPDATE sessions AS s SET last_seen_at = greatest(s.last_seen_at, seen.at)"
    " FROM unnest(CAST(:sessions AS uuid[]), CAST(:times AS timestamptz[])) AS seen (id, at)"
    " WHERE s.id = seen.id"
)
_PEOPLE_CAME = text(
    "UPDATE users AS u SET last_login_at = came.at"
    " FROM unnest(CAST(:users AS uuid[]), CAST(:times AS timestamptz[])) AS came (id, at)"
    " WHERE u.id = came.id AND (u.last_login_at IS NULL OR u.last_login_at <= came.at - :every)"
).bindparams(every=LOGIN_EVERY)


class PostgresKeyActivity(KeyActivity):
    def __init__(self, engine: AsyncEngine) -> None:
        self._touches = _Touches(engine, _KEYS_USED, ("teams", "keys"))

    def touch(self, key: ApiKey, at: datetime) -> None:
        self._touches.touch((key.team_id, key.id), at)

    async def flush(self) -> None:
        await self._touches.flush()

    async def stop(self) -> None:
        await self._touches.stop("key")


class PostgresSessionActivity(SessionActivity):
    def __init__(self, engine: AsyncEngine) -> None:
        self._touches = _Touches(engine, _SESSIONS_SEEN, ("sessions",))

    def touch(self, session: Session, at: datetime) -> None:
        self._touches.touch((session.id,), at)

    async def flush(self) -> None:
        await self._touches.flush()

    async def stop(self) -> None:
        await self._touches.stop("session")


class PostgresPersonActivity(PersonActivity):
    def __init__(self, engine: AsyncEngine) -> None:
        self._touches = _Touches(engine, _PEOPLE_CAME, ("users",))
        self._last: dict[UserId, datetime] = {}

    def touch(self, user_id: UserId, at: datetime) -> None:
        last = self._last.get(user_id)
        if last is None or last <= at - LOGIN_EVERY:
            self._last[user_id] = at
            self._touches.touch((user_id,), at)

    async def flush(self) -> None:
        await self._touches.flush()

    async def stop(self) -> None:
        await self._touches.stop("person")
