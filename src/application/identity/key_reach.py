"""Which of the team's API keys somebody may see and change."""

from collections.abc import Sequence
from datetime import datetime

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.allowance import SubjectKind
from domain.identity.api_key import ApiKey
from domain.identity.errors import KeyNotFoundError
from domain.identity.permissions import Permission, permissions_of
from domain.operations.audit import ActorKind
from domain.shared.ids import KeyId, UserId


def owner_in_reach(actor: Actor) -> UserId | None:
    """``None`` for whoever manages all keys, else the one whose keys are within reach. Raises
    ``ForbiddenError`` when no keys are."""
    if actor.may(Permission.MANAGE_KEYS):
        return None
    actor.require(Permission.MANAGE_OWN_KEYS)
    if actor.user_id is None:
        actor.require(Permission.MANAGE_KEYS)
    return actor.user_id


async def permissions_to_give(
    tx: IdentityUnitOfWork, actor: Actor, at: datetime
) -> frozenset[Permission]:
    """What the actor may still do. It holds until the unit of work ends, so that no key slips
    through while its maker is demoted or taken out. Raises ``MemberNotFoundError``."""
    if actor.kind not in (ActorKind.USER, ActorKind.KEY):
        return actor.permissions
    given = actor.permissions
    if actor.user_id is not None:
        user = await tx.users.get(actor.user_id)
        member = await tx.memberships.find_member(actor.team_id, actor.user_id)
        if actor.kind is ActorKind.USER:
            now = permissions_of(member.role, is_operator=user.is_operator)
            given = given & now if user.is_active else frozenset()
    if actor.key_id is not None:
        key = await tx.api_keys.get(actor.team_id, actor.key_id)
        given = given & key.permissions if key.is_live(at) else frozenset()
    return given


async def key_in_reach(tx: IdentityUnitOfWork, actor: Actor, key_id: KeyId) -> ApiKey:
    """The key, locked; somebody else's is not found by those who manage just their own."""
    owner = owner_in_reach(actor)
    key = await tx.api_keys.get(actor.team_id, key_id)
    if owner is not None and key.user_id != owner:
        raise KeyNotFoundError
    await learn_allowances(tx, actor, [key])
    return key


async def learn_allowances(tx: IdentityUnitOfWork, actor: Actor, keys: Sequence[ApiKey]) -> None:
    """Let the keys of the actor's team know what is set on them."""
    ids = [key.id for key in keys]
    allowances = await tx.allowances.of(actor.team_id, SubjectKind.KEY, ids)
    for key in keys:
        key.limits = allowances[key.id].limits
        key.budget = allowances[key.id].budget


def recorded(key: ApiKey) -> dict[str, object]:
    """What the audit trail tells of a key."""
    return {
        "name": key.name,
        "user_id": key.user_id,
        "allowed_models": key.allowed_models,
        "scopes": key.scopes,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "limits": key.limits,
        "budget": key.budget,
    }
