from dataclasses import dataclass, replace

from application.identity.people.member_keys import MemberKeys
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from domain.identity.joining.invitation import check_grant
from domain.identity.membership import Member
from domain.identity.owners import check_owner_remains
from domain.identity.permissions import Permission, Role, permissions_of
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRoleCommand:
    """Unless ``keep_keys``, the member's keys lose what the new role may not do."""

    actor: Actor
    user_id: UserId
    role: Role
    keep_keys: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRole:
    """Gives a member of the team another role, at once and on every node.

    Nobody gives a role that may do more than he may himself, only owners change owners, and the
    last owner stays one. The member's API keys lose the scopes that the new role does not have.
    """

    uow: IdentityUnitOfWork
    auditor: Auditor
    keys: MemberKeys

    async def __call__(self, command: ChangeRoleCommand) -> Member:
        actor = command.actor
        actor.require(Permission.MANAGE_MEMBERS)
        check_grant(command.role, actor.permissions)
        async with self.uow as tx:
            await tx.memberships.find_member(actor.team_id, command.user_id)
            user = await tx.users.get(command.user_id)
            owners = await tx.memberships.count_active_owners(actor.team_id)
            before = await tx.memberships.get(actor.team_id, command.user_id)
            if before.role is Role.OWNER:
                actor.require(Permission.MANAGE_OWNERS)
                if command.role is not Role.OWNER:
                    check_owner_remains(user, owners)
            after = replace(before, role=command.role)
            await tx.memberships.save(after)
            await self.auditor.record(
                tx,
                actor,
                "member.role_changed",
                Target("user", user.id),
                before={"role": before.role},
                after={"role": after.role},
            )
            if not command.keep_keys:
                allowed = permissions_of(after.role, is_operator=user.is_operator)
                await self.keys.narrow(tx, actor, after, allowed)
            await tx.commit()
        return Member(user=user, role=after.role)
