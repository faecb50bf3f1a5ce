from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.identity.announcement import announce
from adapters.postgres.identity.rows import MembershipRow, TeamRow
from application.identity.ports import Teams
from application.shared.pagination import Page, PageRequest
from domain.identity.errors import TeamNotFoundError
from domain.identity.team import Team
from domain.shared.ids import TeamId, UserId

_FIRST_TEAM_LOCK = 0x53746F61_00000001


class PostgresTeams(Teams):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, team: Team) -> None:
        with translated():
            await self._session.execute(insert(TeamRow).values(_team_values(team)))

    async def get(self, team_id: TeamId) -> Team:
        with translated():
            row = await self._session.scalar(
                select(TeamRow)
                .where(TeamRow.id == team_id)
                # Not FOR UPDATE: that would hold up the foreign keys of the ledger's inserts.
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            )
        if row is None:
            raise TeamNotFoundError
        return _team_of(row)

    async def save(self, team: Team) -> None:
        with translated():
            saved = await self._session.scalar(
                update(TeamRow)
                .where(TeamRow.id == team.id)
                .values(_team_values(team))
                .returning(TeamRow.id)
            )
            await announce(self._session, team.id)
        if saved is None:
            raise TeamNotFoundError

    async def first(self) -> Team | None:
        with translated():
            await self._session.execute(select(func.pg_advisory_xact_lock(_FIRST_TEAM_LOCK)))
            row = await self._session.scalar(select(TeamRow).order_by(TeamRow.id).limit(1))
        return None if row is None else _team_of(row)

    async def named(self, name: str) -> tuple[Team, ...]:
        with translated():
            rows = await self._session.scalars(
                select(TeamRow).where(TeamRow.name == name).order_by(TeamRow.id)
            )
        return tuple(map(_team_of, rows))

    async def list(self, page: PageRequest, *, user_id: UserId | None = None) -> Page[Team]:
        wanted = select(TeamRow)
        if user_id is not None:
            wanted = wanted.join(MembershipRow, MembershipRow.team_id == TeamRow.id).where(
                MembershipRow.user_id == user_id
            )
        with translated():
            total = await self._session.scalar(select(func.count()).select_from(wanted.subquery()))
            rows = await self._session.scalars(
                wanted.order_by(TeamRow.id)
                .offset(page.offset)
                .limit(page.page_size)
                .execution_options(populate_existing=True)
            )
        return Page(
            items=tuple(map(_team_of, rows)),
            total=total or 0,
            page=page.page,
            page_size=page.page_size,
        )


def _team_of(row: TeamRow) -> Team:
    return Team(
        id=TeamId(row.id),
        name=row.name,
        created_at=row.created_at,
    )


def _team_values(team: Team) -> dict[str, Any]:
    return {
        "id": team.id,
        "name": team.name,
        "created_at": team.created_at,
    }
