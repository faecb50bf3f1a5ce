from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.identity.announcement import announce
from adapters.postgres.identity.rows import PK_MEMBERSHIPS, MembershipRow, TeamRow, UserRow
from adapters.postgres.identity.users import user_of
from application.identity.ports import Memberships
from application.shared.pagination import Page, PageRequest
from domain.identity.errors import AlreadyMemberError, MemberNotFoundError
from domain.identity.membership import Member, Membership
from domain.identity.permissions import Role
from domain.shared.ids import TeamId, UserId


class PostgresMemberships(Memberships):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, membership: Membership) -> None:
        with translated({PK_MEMBERSHIPS: AlreadyMemberError()}):
            await self._session.execute(
                insert(MembershipRow).values(
                    team_id=membership.team_id, user_id=membership.user_id, role=membership.role
                )
            )
            await announce(self._session, membership.user_id)

    async def get(self, team_id: TeamId, user_id: UserId) -> Membership:
        with translated():
            row = await self._session.scalar(
                select(MembershipRow)
                .where(MembershipRow.team_id == team_id, MembershipRow.user_id == user_id)
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            )
        if row is None:
            raise MemberNotFoundError
        return _membership_of(row)

    async def save(self, membership: Membership) -> None:
        with translated():
            saved = await self._session.scalar(
                update(MembershipRow)
                .where(
                    MembershipRow.team_id == membership.team_id,
                    MembershipRow.user_id == membership.user_id,
                )
                .values(role=membership.role)
                .returning(MembershipRow.user_id)
            )
            await announce(self._session, membership.user_id)
        if saved is None:
            raise MemberNotFoundError

    async def remove(self, membership: Membership) -> None:
        with translated():
            removed = await self._session.scalar(
                delete(MembershipRow)
                .where(
                    MembershipRow.team_id == membership.team_id,
                    MembershipRow.user_id == membership.user_id,
                )
                .returning(MembershipRow.user_id)
            )
            await announce(self._session, membership.user_id)
        if removed is None:
            raise MemberNotFoundError

    async def find_member(self, team_id: TeamId, user_id: UserId) -> Member:
        with translated():
            found = (
                await self._session.execute(
                    select(UserRow, MembershipRow.role)
                    .join(MembershipRow, MembershipRow.user_id == UserRow.id)
                    .where(MembershipRow.team_id == team_id, MembershipRow.user_id == user_id)
                    .execution_options(populate_existing=True)
                )
            ).first()
        if found is None:
            raise MemberNotFoundError
        return Member(user=user_of(found[0]), role=Role(found[1]))

    async def list(self, team_id: TeamId, page: PageRequest) -> Page[Member]:
        of_team = MembershipRow.team_id == team_id
        with translated():
            total = await self._session.scalar(
                select(func.count()).select_from(MembershipRow).where(of_team)
            )
            found = await self._session.execute(
                select(UserRow, MembershipRow.role)
                .join(MembershipRow, MembershipRow.user_id == UserRow.id)
                .where(of_team)
                .order_by(UserRow.id)
                .offset(page.offset)
                .limit(page.page_size)
                .execution_options(populate_existing=True)
            )
        return Page(
            items=tuple(Member(user=user_of(user), role=Role(role)) for user, role in found),
            total=total or 0,
            page=page.page,
            page_size=page.page_size,
        )

    async def of_user(self, user_id: UserId) -> tuple[Membership, ...]:
        with translated():
            rows = await self._session.scalars(
                select(MembershipRow)
                .where(MembershipRow.user_id == user_id)
                .order_by(MembershipRow.team_id)
                .execution_options(populate_existing=True)
            )
        return tuple(map(_membership_of, rows))

    async def count_active_owners(self, team_id: TeamId) -> int:
        with translated():
            # Of all owners together, there is one row that everybody can wait for.
            await self._session.execute(
                select(TeamRow.id).where(TeamRow.id == team_id).with_for_update(key_share=True)
            )
            counted = await self._session.scalar(
                select(func.count())
                .select_from(MembershipRow)
                .join(UserRow, UserRow.id == MembershipRow.user_id)
                .where(
                    MembershipRow.team_id == team_id,
                    MembershipRow.role == Role.OWNER,
                    UserRow.is_active,
                    UserRow.email.is_not(None) | UserRow.external_subject.is_not(None),
                )
            )
        return counted or 0


def _membership_of(row: MembershipRow) -> Membership:
    return Membership(team_id=TeamId(row.team_id), user_id=UserId(row.user_id), role=Role(row.role))
