from collections.abc import Coroutine
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.identity.bounding import bounding, bounding_of
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.keys import key_of
from adapters.postgres.identity.look_up_cache import CAPACITY, LookUpCache
from adapters.postgres.identity.rows import ApiKeyRow
from application.identity.ports import Credential, Credentials


class CachedCredentials(Credentials):
    """Keys, remembered for as long as changes of their teams and users are heard."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        changes: IdentityChanges,
        *,
        capacity: int = CAPACITY,
        patience_s: float = 0.0,
    ) -> None:
        self._sessions = sessions
        self._cache = LookUpCache(
            self._look_up, _concerned, changes, capacity=capacity, patience_s=patience_s
        )

    def find(self, secret_hash: bytes) -> Coroutine[None, None, Credential | None]:
        # Handed on as it is: one more coroutine at every call would do nothing.
        return self._cache.find(secret_hash)

    async def _look_up(self, secret_hash: bytes) -> Credential | None:
        with translated():
            async with self._sessions() as session:
                found = (
                    await session.execute(
                        select(
                            ApiKeyRow,
                            bounding(ApiKeyRow.team_id, ApiKeyRow.user_id, ApiKeyRow.id),
                        ).where(ApiKeyRow.secret_hash == secret_hash)
                    )
                ).first()
        if found is None:
            return None
        key, allowances = found
        return Credential(key=key_of(key), allowances=bounding_of(allowances))


def _concerned(credential: Credential) -> tuple[UUID, ...]:
    """The team, and the user if there still is one."""
    key = credential.key
    return (key.team_id,) if key.user_id is None else (key.team_id, key.user_id)
