from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.identity.bounding import bounding, bounding_of
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.look_up_cache import CAPACITY, LookUpCache
from adapters.postgres.identity.rows import MembershipRow, UserRow
from application.identity.external.ports import ExternalPeople, KnownPerson
from domain.identity.permissions import Role
from domain.shared.ids import TeamId, UserId

# An issuer and a subject.
Reference = tuple[str, str]


class CachedExternalPeople(ExternalPeople):
    """Remembers people for as long as changes of them and of their teams are heard."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        changes: IdentityChanges,
        *,
        capacity: int = CAPACITY,
        patience_s: float = 0.0,
    ) -> None:
        self._sessions = sessions
        self._cache: LookUpCache[Reference, KnownPerson] = LookUpCache(
            self._look_up, _concerned, changes, capacity=capacity, patience_s=patience_s
        )

    async def find(self, issuer: str, subject: str) -> KnownPerson | None:
        return await self._cache.find((issuer, subject))

    async def _look_up(self, reference: Reference) -> KnownPerson | None:
        issuer, subject = reference
        query = (
            select(
                UserRow.id,
                UserRow.is_active,
                UserRow.is_operator,
                MembershipRow.team_id,
                MembershipRow.role,
                bounding(MembershipRow.team_id, UserRow.id),
            )
            .join(MembershipRow, MembershipRow.user_id == UserRow.id, isouter=True)
            .where(UserRow.external_issuer == issuer, UserRow.external_subject == subject)
            .order_by(MembershipRow.team_id)
            .limit(1)
        )
        with translated():
            async with self._sessions() as session:
                found = (await session.execute(query)).first()
        if found is None:
            return None
        user_id, is_active, is_operator, team_id, role, allowances = found
        return KnownPerson(
            user_id=UserId(user_id),
            is_active=is_active,
            is_operator=is_operator,
            team_id=None if team_id is None else TeamId(team_id),
            role=None if role is None else Role(role),
            allowances=bounding_of(allowances),
        )


def _concerned(person: KnownPerson) -> tuple[UUID, ...]:
    return (person.user_id,) if person.team_id is None else (person.user_id, person.team_id)
