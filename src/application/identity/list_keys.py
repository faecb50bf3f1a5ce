from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.api_key import ApiKey
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeysQuery:
    actor: Actor
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys:
    """Lists the team's API keys, newest first, with their secrets masked."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: ListKeysQuery) -> Page[ApiKey]:
        query.actor.require(Permission.MANAGE_KEYS)
        async with self.uow as tx:
            return await tx.api_keys.list(query.actor.team_id, query.page)
