from dataclasses import dataclass

from application.identity.key_reach import key_in_reach
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.api_key import ApiKey
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetKeyQuery:
    actor: Actor
    key_id: KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetKey:
    """Shows one API key of the team, with its secret masked. Those who do not manage all keys see
    just their own."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: GetKeyQuery) -> ApiKey:
        async with self.uow as tx:
            return await key_in_reach(tx, query.actor, query.key_id)
