from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from domain.identity.api_key import ApiKey
from domain.identity.permissions import Permission
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetKeyQuery:
    actor: Actor
    key_id: KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetKey:
    """Shows one API key of the team, with its secret masked."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: GetKeyQuery) -> ApiKey:
        query.actor.require(Permission.MANAGE_KEYS)
        async with self.uow as tx:
            return await tx.api_keys.get(query.actor.team_id, query.key_id)
