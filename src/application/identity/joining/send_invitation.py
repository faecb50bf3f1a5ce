from dataclasses import dataclass
from functools import partial

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.joining.postbox import Postbox
from application.shared.actor import Actor
from application.shared.ports import Errands
from domain.identity.joining.invitation import Invitation
from domain.operations.audit import ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SentInvitation:
    """``link`` is there only where the server sends no mail: then it is for the inviter to hand it
    over, and shown this once."""

    invitation: Invitation
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the invited are told."""

    inviter: str | None
    team: str


async def names_for(tx: JoiningUnitOfWork, actor: Actor) -> Names:
    """A key is nobody to be named."""
    inviter = None
    if actor.kind is ActorKind.USER and actor.user_id is not None:
        inviter = (await tx.users.get(actor.user_id)).display_name
    return Names(inviter=inviter, team=(await tx.teams.get(actor.team_id)).name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendInvitation:
    """Sends a stored invitation after the answer, or says how to hand it over."""

    postbox: Postbox
    errands: Errands

    def __call__(self, invitation: Invitation, names: Names, *, secret: str) -> SentInvitation:
        if not self.postbox.mailer.is_there:
            return SentInvitation(invitation=invitation, link=self.postbox.links.invitation(secret))
        send = partial(
            self.postbox.send_invitation,
            invitation.email,
            inviter=names.inviter,
            team=names.team,
            secret=secret,
        )
        self.errands.send("invitation", send)
        return SentInvitation(invitation=invitation, link=None)
