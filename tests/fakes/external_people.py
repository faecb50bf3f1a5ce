from datetime import datetime

from application.identity.external.ports import (
    ExternalIdentity,
    ExternalPeople,
    IdentityTokens,
    KnownPerson,
    PersonActivity,
)
from domain.identity.errors import CredentialsInvalidError
from domain.shared.ids import UserId
from tests.fakes.identity_state import InMemoryIdentity


class PlainIdentityTokens(IdentityTokens):
    """Believes the tokens that it was told of."""

    def __init__(self) -> None:
        self.identities: dict[str, ExternalIdentity] = {}

    async def verify(self, token: str) -> ExternalIdentity:
        if token not in self.identities:
            raise CredentialsInvalidError
        return self.identities[token]


class InMemoryExternalPeople(ExternalPeople):
    def __init__(self, database: InMemoryIdentity) -> None:
        self._database = database

    async def find(self, issuer: str, subject: str) -> KnownPerson | None:
        state = self._database.committed
        for user in state.users.values():
            if (user.external_issuer, user.external_subject) == (issuer, subject):
                places = [m for m in state.memberships.values() if m.user_id == user.id]
                oldest = min(places, key=lambda m: m.team_id, default=None)
                return KnownPerson(
                    user_id=user.id,
                    is_active=user.is_active,
                    is_operator=user.is_operator,
                    team_id=None if oldest is None else oldest.team_id,
                    role=None if oldest is None else oldest.role,
                    allowances=()
                    if oldest is None
                    else tuple(
                        allowance
                        for (team_id, subject_of), allowance in state.allowances.items()
                        if team_id == oldest.team_id
                        and subject_of.id in {oldest.team_id, oldest.user_id}
                    ),
                )
        return None


class InMemoryPersonActivity(PersonActivity):
    def __init__(self) -> None:
        self.touched: dict[UserId, datetime] = {}

    def touch(self, user_id: UserId, at: datetime) -> None:
        self.touched[user_id] = at

    async def flush(self) -> None:
        self.touched.clear()
