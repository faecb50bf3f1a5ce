from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.joining.send_invitation import (
    SendInvitation,
    SentInvitation,
    names_for,
)
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, SecretGenerator
from domain.identity.joining.invitation import check_grant
from domain.identity.permissions import Permission
from domain.shared.ids import InvitationId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendInvitationCommand:
    actor: Actor
    invitation_id: InvitationId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendInvitation:
    """Sends an open or expired invitation again, with a new link that lives for another seven days;
    the earlier link is worth nothing from then on."""

    uow: JoiningUnitOfWork
    send: SendInvitation
    clock: Clock
    secrets: SecretGenerator
    auditor: Auditor

    async def __call__(self, command: ResendInvitationCommand) -> SentInvitation:
        actor = command.actor
        actor.require(Permission.MANAGE_MEMBERS)
        secret = self.secrets.token()
        async with self.uow as tx:
            names = await names_for(tx, actor)
            invitation = await tx.invitations.get(actor.team_id, command.invitation_id)
            check_grant(invitation.role, actor.permissions)
            invitation.renew(secret=secret, by=actor.user_id, at=self.clock.now())
            await tx.invitations.save(invitation)
            await self.auditor.record(
                tx,
                actor,
                "invitation.renewed",
                Target("invitation", invitation.id),
                after={"email": invitation.email, "expires_at": invitation.expires_at},
            )
            await tx.commit()
        return self.send(invitation, names, secret=secret)
