from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.models.announcing import page_of, write
from adapters.postgres.models.rows import FK_MODEL_PROVIDER, UQ_PROVIDER_NAME, providers
from application.models.registry.ports import Providers, RegistrySort
from application.shared.pagination import Page, PageRequest
from domain.models.registry.errors import (
    ProviderInUseError,
    ProviderNameTakenError,
    ProviderNotFoundError,
)
from domain.models.registry.provider import Provider
from domain.shared.ids import ProviderId, TeamId


class PostgresProviders(Providers):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, provider: Provider) -> None:
        with translated({UQ_PROVIDER_NAME: ProviderNameTakenError(provider.name)}):
            statement = insert(providers).values(_values(provider))
            await write(self._session, provider.team_id, statement)

    async def get(self, team_id: TeamId, provider_id: ProviderId) -> Provider:
        with translated():
            found = await self._session.execute(
                select(providers).where(
                    providers.c.team_id == team_id, providers.c.id == provider_id
                )
            )
        row = found.mappings().one_or_none()
        if row is None:
            raise ProviderNotFoundError
        return provider_of(row)

    async def save(self, provider: Provider) -> None:
        with translated({UQ_PROVIDER_NAME: ProviderNameTakenError(provider.name)}):
            saved = await write(
                self._session,
                provider.team_id,
                update(providers)
                .where(providers.c.team_id == provider.team_id, providers.c.id == provider.id)
                .values(_values(provider)),
            )
        if not saved.rowcount:
            raise ProviderNotFoundError

    async def remove(self, provider: Provider) -> None:
        with translated({FK_MODEL_PROVIDER: ProviderInUseError(provider.name)}):
            statement = delete(providers).where(
                providers.c.team_id == provider.team_id, providers.c.id == provider.id
            )
            await write(self._session, provider.team_id, statement)

    async def all(self, team_id: TeamId) -> Sequence[Provider]:
        with translated():
            rows = await self._session.execute(
                select(providers).where(providers.c.team_id == team_id).order_by(providers.c.name)
            )
        return tuple(map(provider_of, rows.mappings()))

    async def list(self, team_id: TeamId, page: PageRequest, sort: RegistrySort) -> Page[Provider]:
        wanted = select(providers).where(providers.c.team_id == team_id)
        with translated():
            rows, total = await page_of(self._session, providers, wanted, page, sort)
        return Page(
            items=tuple(map(provider_of, rows)),
            total=total,
            page=page.page,
            page_size=page.page_size,
        )


def provider_of(row: Mapping[Any, Any]) -> Provider:
    return Provider(
        id=ProviderId(row["id"]),
        team_id=TeamId(row["team_id"]),
        name=row["name"],
        type=row["type"],
        configuration=row["configuration"],
        credentials=tuple(row["credentials"]),
        sealed=row["sealed"],
        may_reach_private=row["may_reach_private"],
        is_enabled=row["is_enabled"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _values(provider: Provider) -> dict[str, Any]:
    return {
        "id": provider.id,
        "team_id": provider.team_id,
        "name": provider.name,
        "type": provider.type,
        "configuration": provider.configuration,
        "credentials": list(provider.credentials),
        "sealed": provider.sealed,
        "may_reach_private": provider.may_reach_private,
        "is_enabled": provider.is_enabled,
        "created_at": provider.created_at,
        "updated_at": provider.updated_at,
    }
