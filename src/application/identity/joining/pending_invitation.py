from datetime import datetime

from application.identity.joining.ports import JoiningUnitOfWork
from domain.identity.api_key import hash_secret
from domain.identity.errors import MemberNotFoundError
from domain.identity.joining.errors import InvitationInvalidError
from domain.identity.joining.invitation import Invitation
from domain.identity.permissions import Permission, permissions_of


async def pending_invitation(tx: JoiningUnitOfWork, token: str, at: datetime) -> Invitation:
    """The invitation that the token opens, locked. Raises ``InvitationInvalidError``, also where
    nobody stands behind it any more."""
    invitation = await tx.invitations.find_by_secret(hash_secret(token))
    if invitation is None:
        raise InvitationInvalidError
    invitation.must_be_pending(at)
    if not await is_backed(tx, invitation):
        raise InvitationInvalidError
    return invitation


async def is_backed(tx: JoiningUnitOfWork, invitation: Invitation) -> bool:
    """Whether whoever invited could still do so. Where it was nobody, the person registered, or a
    key invited that is nobody's."""
    if invitation.invited_by is None:
        return True
    try:
        inviter = await tx.memberships.find_member(invitation.team_id, invitation.invited_by)
    except MemberNotFoundError:
        return False
    needed = permissions_of(invitation.role) | {Permission.MANAGE_MEMBERS}
    return inviter.user.is_active and needed <= permissions_of(inviter.role)
