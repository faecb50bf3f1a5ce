from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from adapters.postgres.errors import translated
from adapters.postgres.identity.joining_rows import (
    UQ_OPEN_INVITATION,
    InvitationRow,
    PasswordResetRow,
    SetupTokenRow,
)
from adapters.postgres.identity.rows import MembershipRow, TeamRow, UserRow
from application.identity.joining.ports import Invitations, PasswordResets, SetupTokens
from application.shared.pagination import Page, PageRequest
from domain.identity.joining.errors import InvitationNotFoundError, InvitationPendingError
from domain.identity.joining.invitation import Invitation
from domain.identity.joining.password_reset import PasswordReset
from domain.identity.joining.setup_token import SetupToken
from domain.identity.permissions import Role
from domain.shared.ids import InvitationId, PasswordResetId, TeamId, UserId


class PostgresSetupTokens(SetupTokens):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, token: SetupToken, *, keep: int) -> None:
        newest = select(SetupTokenRow.id).order_by(SetupTokenRow.id.desc()).limit(keep)
        with translated():
            await self._session.execute(
                insert(SetupTokenRow).values(
                    id=token.id, secret_hash=token.secret_hash, created_at=token.created_at
                )
            )
            await self._session.execute(
                delete(SetupTokenRow).where(SetupTokenRow.id.not_in(newest))
            )

    async def has(self, secret_hash: bytes) -> bool:
        with translated():
            found = await self._session.scalar(
                select(SetupTokenRow.id).where(SetupTokenRow.secret_hash == secret_hash)
            )
        return found is not None

    async def clear(self) -> None:
        with translated():
            await self._session.execute(delete(SetupTokenRow))

    async def has_owner(self) -> bool:
        oldest = select(TeamRow.id).order_by(TeamRow.id).limit(1).scalar_subquery()
        is_owner = (MembershipRow.team_id == oldest) & (MembershipRow.role == Role.OWNER)
        is_person = UserRow.email.is_not(None) | UserRow.external_subject.is_not(None)
        with translated():
            found = await self._session.scalar(
                select(exists().where(is_owner, MembershipRow.user_id == UserRow.id, is_person))
            )
        return bool(found)


class PostgresPasswordResets(PasswordResets):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, reset: PasswordReset) -> None:
        with translated():
            await self._session.execute(
                delete(PasswordResetRow).where(
                    PasswordResetRow.user_id == reset.user_id,
                    PasswordResetRow.expires_at <= reset.created_at,
                )
            )
            await self._session.execute(
                insert(PasswordResetRow).values(
                    id=reset.id,
                    user_id=reset.user_id,
                    secret_hash=reset.secret_hash,
                    created_at=reset.created_at,
                    expires_at=reset.expires_at,
                )
            )

    async def take(self, secret_hash: bytes) -> PasswordReset | None:
        with translated():
            # The user first, as everybody who changes one: else two could wait for each other.
            of_user = select(PasswordResetRow.user_id).where(
                PasswordResetRow.secret_hash == secret_hash
            )
            await self._session.execute(
                select(UserRow.id)
                .where(UserRow.id == of_user.scalar_subquery())
                .with_for_update(key_share=True)
            )
            row = await self._session.scalar(
                select(PasswordResetRow)
                .where(PasswordResetRow.secret_hash == secret_hash)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
            if row is None:
                return None
            reset = PasswordReset(
                id=PasswordResetId(row.id),
                user_id=UserId(row.user_id),
                secret_hash=row.secret_hash,
                created_at=row.created_at,
                expires_at=row.expires_at,
            )
        await self.forget(reset.user_id)
        return reset

    async def forget(self, user_id: UserId) -> None:
        with translated():
            await self._session.execute(
                delete(PasswordResetRow)
                .where(PasswordResetRow.user_id == user_id)
                .execution_options(synchronize_session=False)
            )


class PostgresInvitations(Invitations):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, invitation: Invitation) -> None:
        with translated({UQ_OPEN_INVITATION: InvitationPendingError()}):
            await self._session.execute(insert(InvitationRow).values(_values(invitation)))

    async def get(self, team_id: TeamId, invitation_id: InvitationId) -> Invitation:
        found = await self._find(
            (InvitationRow.team_id == team_id) & (InvitationRow.id == invitation_id)
        )
        if found is None:
            raise InvitationNotFoundError
        return found

    async def find_by_secret(self, secret_hash: bytes) -> Invitation | None:
        return await self._find(InvitationRow.secret_hash == secret_hash)

    async def find_open(self, team_id: TeamId, email: str) -> Invitation | None:
        return await self._find(
            (InvitationRow.team_id == team_id)
            & (InvitationRow.email == email)
            & InvitationRow.accepted_at.is_(None)
            & InvitationRow.revoked_at.is_(None)
        )

    async def save(self, invitation: Invitation) -> None:
        with translated({UQ_OPEN_INVITATION: InvitationPendingError()}):
            saved = await self._session.scalar(
                update(InvitationRow)
                .where(
                    InvitationRow.team_id == invitation.team_id,
                    InvitationRow.id == invitation.id,
                )
                .values(_values(invitation))
                .returning(InvitationRow.id)
            )
        if saved is None:
            raise InvitationNotFoundError

    async def list(self, team_id: TeamId, page: PageRequest) -> Page[Invitation]:
        of_team = InvitationRow.team_id == team_id
        with translated():
            total = await self._session.scalar(
                select(func.count()).select_from(InvitationRow).where(of_team)
            )
            rows = await self._session.scalars(
                select(InvitationRow)
                .where(of_team)
                .order_by(InvitationRow.id.desc())
                .offset(page.offset)
                .limit(page.page_size)
                .execution_options(populate_existing=True)
            )
        return Page(
            items=tuple(map(_invitation_of, rows)),
            total=total or 0,
            page=page.page,
            page_size=page.page_size,
        )

    async def _find(self, condition: ColumnElement[bool]) -> Invitation | None:
        with translated():
            row = await self._session.scalar(
                select(InvitationRow)
                .where(condition)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
        return None if row is None else _invitation_of(row)


def _invitation_of(row: InvitationRow) -> Invitation:
    return Invitation(
        id=InvitationId(row.id),
        team_id=TeamId(row.team_id),
        email=row.email,
        role=Role(row.role),
        secret_hash=row.secret_hash,
        invited_by=None if row.invited_by is None else UserId(row.invited_by),
        created_at=row.created_at,
        sent_at=row.sent_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
        accepted_by=None if row.accepted_by is None else UserId(row.accepted_by),
        revoked_at=row.revoked_at,
    )


def _values(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "team_id": invitation.team_id,
        "email": invitation.email,
        "role": invitation.role,
        "secret_hash": invitation.secret_hash,
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "sent_at": invitation.sent_at,
        "expires_at": invitation.expires_at,
        "accepted_at": invitation.accepted_at,
        "accepted_by": invitation.accepted_by,
        "revoked_at": invitation.revoked_at,
    }
