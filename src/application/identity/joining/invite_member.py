from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.joining.send_invitation import (
    SendInvitation,
    SentInvitation,
    names_for,
)
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.errors import AlreadyMemberError
from domain.identity.joining.invitation import Invitation, check_grant
from domain.identity.permissions import Permission, Role
from domain.shared.ids import InvitationId


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteMemberCommand:
    actor: Actor
    email: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteMember:
    """Invites somebody to the team by e-mail, as no more than the inviter is. The link in the mail
    lives for seven days. An open invitation for the same address is replaced."""

    uow: JoiningUnitOfWork
    send: SendInvitation
    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator
    auditor: Auditor

    async def __call__(self, command: InviteMemberCommand) -> SentInvitation:
        actor = command.actor
        actor.require(Permission.MANAGE_MEMBERS)
        check_grant(command.role, actor.permissions)
        secret = self.secrets.token()
        invitation = Invitation.issue(
            id=InvitationId(self.ids.new()),
            team_id=actor.team_id,
            email=command.email,
            role=command.role,
            secret=secret,
            invited_by=actor.user_id,
            at=self.clock.now(),
        )
        async with self.uow as tx:
            names = await names_for(tx, actor)
            await _must_not_be_member(tx, invitation)
            await self._make_room(tx, actor, invitation.email)
            await tx.invitations.add(invitation)
            await self.auditor.record(
                tx,
                actor,
                "invitation.created",
                Target("invitation", invitation.id),
                after={"email": invitation.email, "role": invitation.role},
            )
            await tx.commit()
        return self.send(invitation, names, secret=secret)

    async def _make_room(self, tx: JoiningUnitOfWork, actor: Actor, email: str) -> None:
        earlier = await tx.invitations.find_open(actor.team_id, email)
        if earlier is None:
            return
        check_grant(earlier.role, actor.permissions)
        earlier.revoke(self.clock.now())
        await tx.invitations.save(earlier)
        await self.auditor.record(
            tx,
            actor,
            "invitation.revoked",
            Target("invitation", earlier.id),
            before={"email": email, "role": earlier.role},
        )


async def _must_not_be_member(tx: JoiningUnitOfWork, invitation: Invitation) -> None:
    user = await tx.users.find_by_email(invitation.email)
    if user is None:
        return
    teams = (membership.team_id for membership in await tx.memberships.of_user(user.id))
    if invitation.team_id in teams:
        raise AlreadyMemberError
