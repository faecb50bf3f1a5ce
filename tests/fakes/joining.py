"""Setup tokens, password resets and invitations in memory, on the state of all of identity."""

from collections.abc import Callable
from copy import deepcopy

from application.identity.joining.ports import (
    Invitations,
    JoiningUnitOfWork,
    PasswordResets,
    SetupTokens,
)
from application.shared.pagination import Page, PageRequest
from domain.identity.joining.errors import InvitationNotFoundError, InvitationPendingError
from domain.identity.joining.invitation import Invitation
from domain.identity.joining.password_reset import PasswordReset
from domain.identity.joining.setup_token import SetupToken
from domain.identity.permissions import Role
from domain.shared.ids import InvitationId, TeamId, UserId
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.fakes.identity_state import Transaction


class InMemorySetupTokens(SetupTokens):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, token: SetupToken, *, keep: int) -> None:
        self._transaction.written.setup_tokens[token.id] = token
        newest_first = sorted(self._transaction.setup_tokens(), reverse=True)
        self._transaction.written.gone.update(newest_first[keep:])

    async def has(self, secret_hash: bytes) -> bool:
        tokens = self._transaction.setup_tokens().values()
        return any(token.secret_hash == secret_hash for token in tokens)

    async def clear(self) -> None:
        self._transaction.written.gone.update(self._transaction.setup_tokens())

    async def has_owner(self) -> bool:
        users = self._transaction.users()
        oldest = min(self._transaction.teams(), default=None)
        return any(
            (membership.team_id, membership.role) == (oldest, Role.OWNER)
            and users[membership.user_id].is_person
            for membership in self._transaction.memberships().values()
        )


class InMemoryPasswordResets(PasswordResets):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, reset: PasswordReset) -> None:
        for other in self._transaction.password_resets().values():
            if other.user_id == reset.user_id and not other.is_live(reset.created_at):
                self._transaction.written.gone.add(other.id)
        self._transaction.written.password_resets[reset.id] = reset

    async def take(self, secret_hash: bytes) -> PasswordReset | None:
        found = self._find(secret_hash)
        if found is None:
            return None
        await self._transaction.lock("user", found.user_id)
        if self._find(secret_hash) is None:
            return None
        await self.forget(found.user_id)
        return found

    async def forget(self, user_id: UserId) -> None:
        resets = self._transaction.password_resets().values()
        gone = (reset.id for reset in resets if reset.user_id == user_id)
        self._transaction.written.gone.update(gone)

    def _find(self, secret_hash: bytes) -> PasswordReset | None:
        resets = self._transaction.password_resets().values()
        return next((reset for reset in resets if reset.secret_hash == secret_hash), None)


class InMemoryInvitations(Invitations):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, invitation: Invitation) -> None:
        await self._store(invitation)

    async def get(self, team_id: TeamId, invitation_id: InvitationId) -> Invitation:
        found = await self._find(lambda i: (i.team_id, i.id) == (team_id, invitation_id))
        if found is None:
            raise InvitationNotFoundError
        return found

    async def find_by_secret(self, secret_hash: bytes) -> Invitation | None:
        return await self._find(lambda i: i.secret_hash == secret_hash)

    async def find_open(self, team_id: TeamId, email: str) -> Invitation | None:
        return await self._find(lambda i: i.is_open and (i.team_id, i.email) == (team_id, email))

    async def save(self, invitation: Invitation) -> None:
        await self.get(invitation.team_id, invitation.id)
        await self._store(invitation)

    async def list(self, team_id: TeamId, page: PageRequest) -> Page[Invitation]:
        invitations = self._transaction.invitations().values()
        of_team = [invitation for invitation in invitations if invitation.team_id == team_id]
        newest_first = sorted(of_team, key=lambda invitation: invitation.id, reverse=True)
        chosen = newest_first[page.offset : page.offset + page.page_size]
        return Page(
            items=tuple(deepcopy(chosen)),
            total=len(of_team),
            page=page.page,
            page_size=page.page_size,
        )

    async def _store(self, invitation: Invitation) -> None:
        if invitation.is_open:
            await self._transaction.lock("open invitation", invitation.team_id, invitation.email)
            for other in self._transaction.invitations().values():
                is_same = (other.team_id, other.email) == (invitation.team_id, invitation.email)
                if is_same and other.is_open and other.id != invitation.id:
                    raise InvitationPendingError
        self._transaction.written.invitations[invitation.id] = deepcopy(invitation)

    async def _find(self, is_meant: Callable[[Invitation], bool]) -> Invitation | None:
        found = self._first(is_meant)
        if found is None:
            return None
        await self._transaction.lock("invitation", found.id)
        # Whoever held the lock may have changed it.
        return self._first(is_meant)

    def _first(self, is_meant: Callable[[Invitation], bool]) -> Invitation | None:
        invitations = self._transaction.invitations().values()
        return deepcopy(next((i for i in invitations if is_meant(i)), None))


class InMemoryJoiningUnitOfWork(InMemoryIdentityUnitOfWork, JoiningUnitOfWork):
    @property
    def setup_tokens(self) -> InMemorySetupTokens:
        return InMemorySetupTokens(self._open_transaction)

    @property
    def password_resets(self) -> InMemoryPasswordResets:
        return InMemoryPasswordResets(self._open_transaction)

    @property
    def invitations(self) -> InMemoryInvitations:
        return InMemoryInvitations(self._open_transaction)
