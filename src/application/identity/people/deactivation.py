from dataclasses import dataclass

from application.identity.people.member_keys import MemberKeys
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.owners import check_owner_remains
from domain.identity.permissions import Role
from domain.identity.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivation:
    """Closes an account in all its teams: its sessions end, and its keys are revoked unless they
    are kept. The last owner of a team cannot be shut out."""

    keys: MemberKeys
    clock: Clock

    async def __call__(
        self, tx: IdentityUnitOfWork, actor: Actor, user: User, *, keep_keys: bool
    ) -> None:
        """Expects the user locked and still active."""
        owners = {
            membership.team_id: await tx.memberships.count_active_owners(membership.team_id)
            for membership in await tx.memberships.of_user(user.id)
        }
        # Roles change only under the lock that counting takes, so they are read again.
        memberships = await tx.memberships.of_user(user.id)
        for membership in memberships:
            if membership.role is Role.OWNER:
                check_owner_remains(user, owners.get(membership.team_id, 0))
        user.is_active = False
        await tx.sessions.revoke_all(user.id, self.clock.now())
        if not keep_keys:
            for membership in memberships:
                await self.keys.revoke(tx, actor, membership)
