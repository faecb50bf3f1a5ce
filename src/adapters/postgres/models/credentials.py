from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.models.announcing import write
from adapters.postgres.models.providers import provider_of
from adapters.postgres.models.rows import providers
from application.operations.ports import CredentialStore, Sealed, StoredCredentials


class PostgresCredentialStore(CredentialStore):
    """The secrets of the registries' providers."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def all(self) -> Sequence[StoredCredentials]:
        with translated():
            rows = await self._session.execute(
                select(providers)
                .where(providers.c.sealed.is_not(None))
                .order_by(providers.c.team_id, providers.c.id)
                .with_for_update()
            )
        found = map(provider_of, rows.mappings())
        return tuple(
            StoredCredentials(
                team_id=one.team_id, id=one.id, place=one.place, sealed=Sealed(one.sealed or b"")
            )
            for one in found
        )

    async def put(self, credentials: StoredCredentials) -> None:
        with translated():
            statement = (
                update(providers)
                .where(providers.c.team_id == credentials.team_id, providers.c.id == credentials.id)
                .values(sealed=credentials.sealed.ciphertext)
            )
            await write(self._session, credentials.team_id, statement)
