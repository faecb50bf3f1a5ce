from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.identity.announcement import announce
from adapters.postgres.identity.rows import FK_KEY_MEMBER, UQ_LIVE_KEY_NAME, ApiKeyRow
from application.identity.ports import ApiKeys
from application.shared.pagination import Page, PageRequest
from domain.identity.api_key import ApiKey
from domain.identity.errors import KeyNameTakenError, KeyNotFoundError, MemberNotFoundError
from domain.identity.scopes import scopes_of
from domain.shared.errors import StoaError
from domain.shared.ids import KeyId, TeamId, UserId


class PostgresApiKeys(ApiKeys):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: ApiKey) -> None:
        refusals: dict[str, StoaError] = {
            UQ_LIVE_KEY_NAME: KeyNameTakenError(key.name),
            # Whoever makes the key has just left the team.
            FK_KEY_MEMBER: MemberNotFoundError(),
        }
        with translated(refusals):
            await self._session.execute(insert(ApiKeyRow).values(_key_values(key)))
            await announce(self._session, key.team_id)

    async def get(self, team_id: TeamId, key_id: KeyId) -> ApiKey:
        with translated():
            row = await self._session.scalar(
                select(ApiKeyRow)
                .where(ApiKeyRow.team_id == team_id, ApiKeyRow.id == key_id)
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            )
        if row is None:
            raise KeyNotFoundError
        return key_of(row)

    async def save(self, key: ApiKey) -> None:
        with translated({UQ_LIVE_KEY_NAME: KeyNameTakenError(key.name)}):
            saved = await self._session.scalar(
                update(ApiKeyRow)
                .where(ApiKeyRow.team_id == key.team_id, ApiKeyRow.id == key.id)
                .values(_key_values(key))
                .returning(ApiKeyRow.id)
            )
            await announce(self._session, key.team_id)
        if saved is None:
            raise KeyNotFoundError

    async def find_by_name(self, team_id: TeamId, name: str) -> ApiKey | None:
        with translated():
            row = await self._session.scalar(
                select(ApiKeyRow)
                .where(
                    ApiKeyRow.team_id == team_id,
                    ApiKeyRow.name == name,
                    ApiKeyRow.revoked_at.is_(None),
                )
                .execution_options(populate_existing=True)
            )
        return None if row is None else key_of(row)

    async def live_of(self, team_id: TeamId, user_id: UserId) -> tuple[ApiKey, ...]:
        with translated():
            rows = await self._session.scalars(
                select(ApiKeyRow)
                .where(
                    ApiKeyRow.team_id == team_id,
                    ApiKeyRow.user_id == user_id,
                    ApiKeyRow.revoked_at.is_(None),
                )
                .order_by(ApiKeyRow.id)
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            )
        return tuple(map(key_of, rows))

    async def list(
        self, team_id: TeamId, page: PageRequest, *, user_id: UserId | None = None
    ) -> Page[ApiKey]:
        wanted = [ApiKeyRow.team_id == team_id]
        if user_id is not None:
            wanted.append(ApiKeyRow.user_id == user_id)
        with translated():
            total = await self._session.scalar(
                select(func.count()).select_from(ApiKeyRow).where(*wanted)
            )
            rows = await self._session.scalars(
                select(ApiKeyRow)
                .where(*wanted)
                .order_by(ApiKeyRow.id.desc())
                .offset(page.offset)
                .limit(page.page_size)
                .execution_options(populate_existing=True)
            )
        return Page(
            items=tuple(map(key_of, rows)),
            total=total or 0,
            page=page.page,
            page_size=page.page_size,
        )


def key_of(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=KeyId(row.id),
        team_id=TeamId(row.team_id),
        user_id=None if row.user_id is None else UserId(row.user_id),
        name=row.name,
        secret_hash=row.secret_hash,
        hint=row.hint,
        allowed_models=tuple(row.allowed_models),
        scopes=scopes_of(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def _key_values(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "team_id": key.team_id,
        "user_id": key.user_id,
        "name": key.name,
        "secret_hash": key.secret_hash,
        "hint": key.hint,
        "allowed_models": list(key.allowed_models),
        "scopes": list(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
