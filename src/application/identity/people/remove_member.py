from dataclasses import dataclass

from application.identity.people.member_keys import MemberKeys
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from domain.identity.owners import check_owner_remains
from domain.identity.permissions import Permission, Role
from domain.operations.audit import ActorKind
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMemberCommand:
    """With ``keep_keys`` the member's keys go on as the team's."""

    actor: Actor
    user_id: UserId
    keep_keys: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember:
    """Takes somebody out of the team, or lets the actor leave it, at once and on every node.

    The member's API keys are revoked, or kept as the team's, for which whoever leaves has to manage
    keys. The account stays. Only owners take out owners, and the last owner stays.
    """

    uow: IdentityUnitOfWork
    auditor: Auditor
    keys: MemberKeys

    async def __call__(self, command: RemoveMemberCommand) -> None:
        actor = command.actor
        leaves = actor.kind is ActorKind.USER and command.user_id == actor.user_id
        if not leaves:
            actor.require(Permission.MANAGE_MEMBERS)
        elif command.keep_keys:
            # Kept keys have no user's limits any more.
            actor.require(Permission.MANAGE_KEYS)
        async with self.uow as tx:
            await tx.memberships.find_member(actor.team_id, command.user_id)
            user = await tx.users.get(command.user_id)
            owners = await tx.memberships.count_active_owners(actor.team_id)
            membership = await tx.memberships.get(actor.team_id, command.user_id)
            if membership.role is Role.OWNER:
                if not leaves:
                    actor.require(Permission.MANAGE_OWNERS)
                check_owner_remains(user, owners)
            if not command.keep_keys:
                await self.keys.revoke(tx, actor, membership)
            await tx.memberships.remove(membership)
            await self.auditor.record(
                tx,
                actor,
                "member.left" if leaves else "member.removed",
                Target("user", user.id),
                before={"role": membership.role, "email": user.email},
            )
            await tx.commit()
