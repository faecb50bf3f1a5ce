from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from adapters.postgres.errors import translated
from adapters.postgres.identity.announcement import announce
from adapters.postgres.identity.rows import UQ_EMAIL, UQ_EXTERNAL, MembershipRow, UserRow
from application.identity.ports import Users
from domain.identity.errors import (
    EmailTakenError,
    ExternalIdentityTakenError,
    TeamNotFoundError,
    UserNotFoundError,
)
from domain.identity.permissions import Role
from domain.identity.user import User
from domain.shared.errors import StoaError
from domain.shared.ids import TeamId, UserId


class PostgresUsers(Users):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, user: User) -> None:
        with translated(_taken()):
            await self._session.execute(insert(UserRow).values(_values(user)))

    async def get(self, user_id: UserId) -> User:
        with translated():
            row = await self._session.scalar(
                select(UserRow)
                .where(UserRow.id == user_id)
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            )
        if row is None:
            raise UserNotFoundError
        return user_of(row)

    async def find_by_email(self, email: str) -> User | None:
        return await self._find(UserRow.email == email)

    async def find_by_external(self, issuer: str, subject: str) -> User | None:
        return await self._find(
            (UserRow.external_issuer == issuer) & (UserRow.external_subject == subject)
        )

    async def save(self, user: User) -> None:
        with translated(_taken()):
            saved = await self._session.scalar(
                update(UserRow)
                .where(UserRow.id == user.id)
                .values(_values(user))
                .returning(UserRow.id)
            )
            await announce(self._session, user.id)
        if saved is None:
            raise UserNotFoundError

    async def owner_of(self, team_id: TeamId) -> User:
        with translated():
            row = await self._session.scalar(
                select(UserRow)
                .join(MembershipRow, MembershipRow.user_id == UserRow.id)
                .where(MembershipRow.team_id == team_id, MembershipRow.role == Role.OWNER)
                .order_by(UserRow.id)
                .limit(1)
            )
        if row is None:
            raise TeamNotFoundError
        return user_of(row)

    async def _find(self, condition: ColumnElement[bool]) -> User | None:
        with translated():
            row = await self._session.scalar(
                select(UserRow).where(condition).execution_options(populate_existing=True)
            )
        return None if row is None else user_of(row)


def user_of(row: UserRow) -> User:
    return User(
        id=UserId(row.id),
        display_name=row.display_name,
        created_at=row.created_at,
        email=row.email,
        avatar_colour=row.avatar_colour,
        locale=row.locale,
        is_active=row.is_active,
        is_operator=row.is_operator,
        password_hash=row.password_hash,
        external_issuer=row.external_issuer,
        external_subject=row.external_subject,
        last_login_at=row.last_login_at,
    )


def _taken() -> dict[str, StoaError]:
    return {UQ_EMAIL: EmailTakenError(), UQ_EXTERNAL: ExternalIdentityTakenError()}


def _values(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "display_name": user.display_name,
        "created_at": user.created_at,
        "email": user.email,
        "avatar_colour": user.avatar_colour,
        "locale": user.locale,
        "is_active": user.is_active,
        "is_operator": user.is_operator,
        "password_hash": user.password_hash,
        "external_issuer": user.external_issuer,
        "external_subject": user.external_subject,
        "last_login_at": user.last_login_at,
    }
