from dataclasses import dataclass

from application.identity.joining.pending_invitation import is_backed
from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.joining.postbox import Postbox
from application.identity.session_ports import Attempts
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.errors import TeamNotFoundError
from domain.identity.joining.attempts import mailbox_subjects
from domain.identity.joining.invitation import Invitation
from domain.identity.permissions import Role
from domain.operations.audit import ActorKind
from domain.shared.ids import InvitationId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a new invitation is made with."""

    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRegistration:
    """Invites an address to the first team on its own behalf, or tells it of the account that it
    has."""

    uow: JoiningUnitOfWork
    postbox: Postbox
    attempts: Attempts
    auditor: Auditor
    stamp: Stamp

    async def __call__(self, email: str, *, role: Role) -> None:
        await self.attempts.count(mailbox_subjects(email))
        secret = self.stamp.secrets.token()
        async with self.uow as tx:
            is_known = await tx.users.find_by_email(email) is not None
            if not is_known:
                await self._invite(tx, email, role, secret)
                await tx.commit()
        if is_known:
            await self.postbox.send_account_exists(email)
        else:
            await self.postbox.send_registration(email, secret=secret)

    async def _invite(self, tx: JoiningUnitOfWork, email: str, role: Role, secret: str) -> None:
        team = await tx.teams.first()
        if team is None:
            raise TeamNotFoundError
        now = self.stamp.clock.now()
        invitation = await tx.invitations.find_open(team.id, email)
        if invitation is not None and await is_backed(tx, invitation):
            # Somebody may have invited this person as something else already.
            invitation.renew(secret=secret, by=invitation.invited_by, at=now)
            await tx.invitations.save(invitation)
            await self._record(tx, invitation, "invitation.renewed")
            return
        if invitation is not None:
            invitation.revoke(now)
            await tx.invitations.save(invitation)
            await self._record(tx, invitation, "invitation.revoked")
        invitation = Invitation.issue(
            id=InvitationId(self.stamp.ids.new()),
            team_id=TeamId(team.id),
            email=email,
            role=role,
            secret=secret,
            invited_by=None,
            at=now,
        )
        await tx.invitations.add(invitation)
        await self._record(tx, invitation, "invitation.created")

    async def _record(self, tx: JoiningUnitOfWork, invitation: Invitation, action: str) -> None:
        actor = Actor(team_id=invitation.team_id, acting_as=ActorKind.SYSTEM)
        after = {"email": invitation.email, "role": invitation.role, "registered": True}
        await self.auditor.record(
            tx, actor, action, Target("invitation", invitation.id), after=after
        )
