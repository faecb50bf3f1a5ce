from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.identity.bounding import bounding, bounding_of
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.look_up_cache import CAPACITY, LookUpCache
from adapters.postgres.identity.rows import MembershipRow, UserRow
from adapters.postgres.identity.session_rows import SessionRow
from adapters.postgres.identity.sessions import session_of
from application.identity.session_ports import KnownSession, SessionDirectory
from domain.identity.permissions import Role
from domain.shared.ids import SessionId

Reference = bytes | SessionId


class CachedSessions(SessionDirectory):
    """Sessions, remembered for as long as changes of their users and teams are heard."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        changes: IdentityChanges,
        *,
        capacity: int = CAPACITY,
        patience_s: float = 0.0,
    ) -> None:
        self._sessions = sessions
        self._cache: LookUpCache[Reference, KnownSession] = LookUpCache(
            self._look_up, _concerned, changes, capacity=capacity, patience_s=patience_s
        )

    async def find(self, reference: Reference) -> KnownSession | None:
        return await self._cache.find(reference)

    async def _look_up(self, reference: Reference) -> KnownSession | None:
        is_hash = isinstance(reference, bytes)
        wanted = SessionRow.secret_hash == reference if is_hash else SessionRow.id == reference
        with translated():
            async with self._sessions() as session:
                found = (
                    await session.execute(
                        select(
                            SessionRow,
                            MembershipRow.role,
                            UserRow.is_operator,
                            bounding(SessionRow.team_id, SessionRow.user_id),
                        )
                        .join(
                            MembershipRow,
                            (MembershipRow.team_id == SessionRow.team_id)
                            & (MembershipRow.user_id == SessionRow.user_id),
                        )
                        .join(UserRow, UserRow.id == SessionRow.user_id)
                        .where(wanted, UserRow.is_active)
                    )
                ).first()
        if found is None:
            return None
        row, role, is_operator, allowances = found
        return KnownSession(
            session=session_of(row),
            role=Role(role),
            is_operator=is_operator,
            allowances=bounding_of(allowances),
        )


def _concerned(known: KnownSession) -> tuple[UUID, ...]:
    return known.session.team_id, known.session.user_id
