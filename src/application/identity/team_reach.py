"""Which teams somebody may see and change."""

from dataclasses import replace

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.errors import MemberNotFoundError, TeamNotFoundError
from domain.identity.permissions import ALL_PERMISSIONS, Permission, permissions_of
from domain.operations.audit import ActorKind
from domain.shared.ids import TeamId


async def acting_in(tx: IdentityUnitOfWork, actor: Actor, team_id: TeamId) -> Actor:
    """The actor with what he may do in that team: the one that he acts in, another one that he is
    a member of, or any for those who manage the server. Raises ``TeamNotFoundError``."""
    if team_id == actor.team_id:
        return actor
    if actor.may(Permission.MANAGE_SERVER):
        return replace(actor, team_id=team_id, permissions=ALL_PERMISSIONS)
    if actor.user_id is None or actor.kind is not ActorKind.USER:
        raise TeamNotFoundError
    try:
        member = await tx.memberships.find_member(team_id, actor.user_id)
    except MemberNotFoundError:
        raise TeamNotFoundError from None
    return replace(actor, team_id=team_id, permissions=permissions_of(member.role))
