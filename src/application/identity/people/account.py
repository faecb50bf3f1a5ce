"""An account as a team sees it, and who may change it."""

from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.allowance import Allowance, Subject, SubjectKind
from domain.identity.errors import MemberNotFoundError, UserElsewhereError, UserNotFoundError
from domain.identity.membership import Member
from domain.identity.permissions import Permission, Role, permissions_of
from domain.identity.user import User
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with the role in the actor's team, or none there, and what may be used there."""

    user: User
    role: Role | None
    allowance: Allowance


async def member_in_reach(tx: IdentityUnitOfWork, actor: Actor, user_id: UserId) -> Member:
    """A member of the actor's team; raises ``UserNotFoundError``, also for those of others."""
    try:
        return await tx.memberships.find_member(actor.team_id, user_id)
    except MemberNotFoundError:
        raise UserNotFoundError from None


async def account_in_reach(tx: IdentityUnitOfWork, actor: Actor, user_id: UserId) -> Account:
    """Of a member of the actor's team, or of anybody for those who manage the server. Raises
    ``UserNotFoundError``."""
    allowance = await tx.allowances.get(actor.team_id, Subject(SubjectKind.USER, user_id))
    try:
        member = await member_in_reach(tx, actor, user_id)
    except UserNotFoundError:
        if not actor.may(Permission.MANAGE_SERVER):
            raise
        return Account(user=await tx.users.get(user_id), role=None, allowance=allowance)
    return Account(user=member.user, role=member.role, allowance=allowance)


async def check_may_change(tx: IdentityUnitOfWork, actor: Actor, account: Account) -> None:
    """Raise ``ForbiddenError`` unless the actor may change what the account is in all its teams:
    a team decides on that alone only for those who are in no other one."""
    if actor.may(Permission.MANAGE_SERVER):
        return
    actor.require(Permission.MANAGE_MEMBERS)
    if account.role is Role.OWNER:
        actor.require(Permission.MANAGE_OWNERS)
    memberships = await tx.memberships.of_user(account.user.id)
    if account.user.is_operator or len(memberships) > 1:
        raise UserElsewhereError


async def check_may_enter(tx: IdentityUnitOfWork, actor: Actor, account: Account) -> None:
    """For what gives a way into the account: raise ``ForbiddenError`` besides where the actor, such
    as a key with few scopes, may not all that the account may."""
    await check_may_change(tx, actor, account)
    if actor.may(Permission.MANAGE_SERVER) or account.role is None:
        return
    for permission in sorted(permissions_of(account.role)):
        actor.require(permission)


def recorded(user: User) -> dict[str, object]:
    """What the audit trail tells of a user."""
    return {
        "email": user.email,
        "display_name": user.display_name,
        "avatar_colour": user.avatar_colour,
        "locale": user.locale,
        "is_active": user.is_active,
        "is_operator": user.is_operator,
    }
