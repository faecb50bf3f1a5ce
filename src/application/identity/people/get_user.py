from dataclasses import dataclass

from application.identity.people.account import Account, account_in_reach
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUserQuery:
    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUser:
    """Shows the account of somebody in the team; those who manage the server see any."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: GetUserQuery) -> Account:
        query.actor.require(Permission.READ_TEAM)
        async with self.uow as tx:
            return await account_in_reach(tx, query.actor, query.user_id)
