from typing import Protocol

from application.identity.ports import IdentityUnitOfWork
from application.shared.pagination import Page, PageRequest
from domain.identity.joining.invitation import Invitation
from domain.identity.joining.password_reset import PasswordReset
from domain.identity.joining.setup_token import SetupToken
from domain.shared.ids import InvitationId, TeamId, UserId


class SetupTokens(Protocol):
    """What opens a server that belongs to nobody, inside a unit of work."""

    async def add(self, token: SetupToken, *, keep: int) -> None:
        """Store it, and forget all but the ``keep`` newest."""
        ...

    async def has(self, secret_hash: bytes) -> bool: ...

    async def clear(self) -> None: ...

    async def has_owner(self) -> bool:
        """Whether an owner of the oldest team is a person, and not the one that the first start
        made."""
        ...


class PasswordResets(Protocol):
    async def add(self, reset: PasswordReset) -> None:
        """Store it, and forget those of the user that had expired by then."""
        ...

    async def take(self, secret_hash: bytes) -> PasswordReset | None:
        """Remove the one with that secret, together with all others of its user; whoever asks for
        one of them at the same time gets none. Locks the user."""
        ...

    async def forget(self, user_id: UserId) -> None:
        """Remove all of the user, who is locked."""
        ...


class Invitations(Protocol):
    """The invitations to all teams, inside a unit of work."""

    async def add(self, invitation: Invitation) -> None:
        """Raises ``InvitationPendingError`` when there is an open one for the address."""
        ...

    async def get(self, team_id: TeamId, invitation_id: InvitationId) -> Invitation:
        """Locked until the unit of work ends. Raises ``InvitationNotFoundError``, also for another
        team's."""
        ...

    async def find_by_secret(self, secret_hash: bytes) -> Invitation | None:
        """Of whatever team, locked until the unit of work ends."""
        ...

    async def find_open(self, team_id: TeamId, email: str) -> Invitation | None:
        """The one for the address that is neither accepted nor revoked, locked until the unit of
        work ends."""
        ...

    async def save(self, invitation: Invitation) -> None:
        """Raises ``InvitationNotFoundError`` for one that is not stored."""
        ...

    async def list(self, team_id: TeamId, page: PageRequest) -> Page[Invitation]:
        """Newest first, closed ones included."""
        ...


class JoiningUnitOfWork(IdentityUnitOfWork, Protocol):
    @property
    def setup_tokens(self) -> SetupTokens: ...

    @property
    def password_resets(self) -> PasswordResets: ...

    @property
    def invitations(self) -> Invitations: ...
