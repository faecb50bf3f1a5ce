from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.identity.rows import MembershipRow, UserRow
from application.operations.ports import Operators
from domain.shared.ids import TeamId


class PostgresOperators(Operators):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def teams(self) -> Sequence[TeamId]:
        with translated():
            return await teams_of_operators(self._session)


async def teams_of_operators(session: AsyncSession) -> Sequence[TeamId]:
    query = (
        select(MembershipRow.team_id)
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .where(UserRow.is_operator, UserRow.is_active)
        .distinct()
        .order_by(MembershipRow.team_id)
    )
    return [TeamId(team_id) for team_id in (await session.scalars(query)).all()]
