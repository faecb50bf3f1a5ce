from dataclasses import dataclass
from uuid import UUID

from application.identity.people.account import Account, account_in_reach
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.email import normalise_email
from domain.identity.errors import UserNotFoundError
from domain.identity.permissions import Permission
from domain.shared.errors import InvalidError
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class FindUserQuery:
    """``reference`` is an id or an e-mail address."""

    actor: Actor
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindUser:
    """Finds the account that a person means: by id or by e-mail address."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: FindUserQuery) -> Account:
        query.actor.require(Permission.READ_TEAM)
        async with self.uow as tx:
            user_id = _id_in(query.reference)
            if user_id is None:
                user = await tx.users.find_by_email(_email_in(query.reference))
                if user is None:
                    raise UserNotFoundError
                user_id = user.id
            return await account_in_reach(tx, query.actor, user_id)


def _id_in(reference: str) -> UserId | None:
    try:
        return UserId(UUID(reference))
    except ValueError:
        return None


def _email_in(reference: str) -> str:
    try:
        return normalise_email(reference)
    except InvalidError:
        raise UserNotFoundError from None
