from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.identity.rows import ApiKeyRow, MembershipRow, UserRow
from application.operations.events.ports import Audience
from domain.identity.permissions import PERMISSIONS_OF, SERVER_PERMISSIONS, Permission
from domain.shared.ids import KeyId, TeamId, UserId


class PostgresAudience(Audience):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def with_permission(self, team_id: TeamId, permission: Permission) -> frozenset[UserId]:
        roles = [str(role) for role, of_role in PERMISSIONS_OF.items() if permission in of_role]
        has_it: ColumnElement[bool] = MembershipRow.role.in_(roles)
        if permission in SERVER_PERMISSIONS:
            has_it = or_(has_it, UserRow.is_operator)
        return await self._members(team_id, _members(team_id).where(has_it))

    async def member(self, team_id: TeamId, user_id: UserId) -> UserId | None:
        found = await self._members(
            team_id, _members(team_id).where(MembershipRow.user_id == user_id)
        )
        return next(iter(found), None)

    async def holder_of(self, team_id: TeamId, key_id: KeyId) -> UserId | None:
        key = select(ApiKeyRow.user_id).where(ApiKeyRow.team_id == team_id, ApiKeyRow.id == key_id)
        with translated():
            user_id = await self._session.scalar(key)
        return None if user_id is None else await self.member(team_id, UserId(user_id))

    async def _members(self, team_id: TeamId, query: "Select[tuple[UUID]]") -> frozenset[UserId]:
        # Locked, so that nobody leaves before what they are told is stored.
        locked = query.with_for_update(read=True, key_share=True, of=MembershipRow)
        with translated():
            return frozenset(map(UserId, (await self._session.scalars(locked)).all()))


def _members(team_id: TeamId) -> "Select[tuple[UUID]]":
    return (
        select(MembershipRow.user_id)
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .where(MembershipRow.team_id == team_id, UserRow.is_active)
        .order_by(MembershipRow.user_id)
    )
