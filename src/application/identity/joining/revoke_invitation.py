from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.joining.invitation import check_grant
from domain.identity.permissions import Permission
from domain.shared.ids import InvitationId


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvitationCommand:
    actor: Actor
    invitation_id: InvitationId


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvitation:
    """Takes an invitation back: its link is worth nothing any more."""

    uow: JoiningUnitOfWork
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: RevokeInvitationCommand) -> None:
        actor = command.actor
        actor.require(Permission.MANAGE_MEMBERS)
        async with self.uow as tx:
            invitation = await tx.invitations.get(actor.team_id, command.invitation_id)
            check_grant(invitation.role, actor.permissions)
            invitation.revoke(self.clock.now())
            await tx.invitations.save(invitation)
            await self.auditor.record(
                tx,
                actor,
                "invitation.revoked",
                Target("invitation", invitation.id),
                before={"email": invitation.email, "role": invitation.role},
            )
            await tx.commit()
