from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.identity.allowance import Allowance
from domain.identity.permissions import Role
from domain.shared.ids import TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentity:
    """Who somebody is to an identity provider. The subject alone identifies; the rest describes,
    and may change or be wrong."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None


class IdentityTokens(Protocol):
    """Tokens of the identity provider that the settings name."""

    async def verify(self, token: str) -> ExternalIdentity:
        """Whom the token is about. Raises ``CredentialsInvalidError`` for one that is not to be
        trusted, and while no identity provider is set; ``UnavailableError`` while it cannot be
        found out because the identity provider is away."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """A user of an identity provider, with the place in the oldest of the user's teams, if any."""

    user_id: UserId
    is_active: bool
    is_operator: bool
    team_id: TeamId | None
    role: Role | None
    allowances: tuple[Allowance, ...] = ()


class ExternalPeople(Protocol):
    """Users by their external identity, for authentication. Warm look-ups cost no round trip; a
    change of the user, the membership or the team on any node is seen at once."""

    async def find(self, issuer: str, subject: str) -> KnownPerson | None:
        """Raises ``UnavailableError`` while the database is away and the person is not known."""
        ...


class PersonActivity(Protocol):
    """When people last came with a token of the identity provider, which nobody tells a server in
    any other way; kept in memory, written in batches, and exact to the hour."""

    def touch(self, user_id: UserId, at: datetime) -> None: ...

    async def flush(self) -> None:
        """Write what was touched since the last flush."""
        ...
