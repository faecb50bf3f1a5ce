from datetime import datetime

from application.identity.joining.ports import JoiningUnitOfWork
from domain.identity.api_key import hash_secret
from domain.identity.joining.errors import InvitationInvalidError
from domain.identity.joining.invitation import Invitation


async def pending_invitation(tx: JoiningUnitOfWork, token: str, at: datetime) -> Invitation:
    """The invitation that the token opens, locked. Raises ``InvitationInvalidError``."""
    invitation = await tx.invitations.find_by_secret(hash_secret(token))
    if invitation is None:
        raise InvitationInvalidError
    invitation.must_be_pending(at)
    return invitation
