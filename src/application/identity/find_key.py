from dataclasses import dataclass
from uuid import UUID

from application.identity.key_reach import key_in_reach, learn_allowances, owner_in_reach
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.api_key import ApiKey
from domain.identity.errors import KeyNotFoundError
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class FindKeyQuery:
    """``reference`` is an id or a name."""

    actor: Actor
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindKey:
    """Finds the API key that a person means: by id, or a live one by name."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: FindKeyQuery) -> ApiKey:
        owner = owner_in_reach(query.actor)
        async with self.uow as tx:
            found = await tx.api_keys.find_by_name(query.actor.team_id, query.reference)
            if found is not None and owner in (None, found.user_id):
                await learn_allowances(tx, query.actor, [found])
                return found
            try:
                key_id = KeyId(UUID(query.reference))
            except ValueError:
                raise KeyNotFoundError from None
            return await key_in_reach(tx, query.actor, key_id)
