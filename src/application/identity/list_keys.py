from dataclasses import dataclass

from application.identity.key_reach import learn_allowances, owner_in_reach
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import Page, PageRequest
from domain.identity.api_key import ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeysQuery:
    actor: Actor
    page: PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys:
    """Lists the team's API keys, newest first, with their secrets masked. Those who do not manage
    all keys see just their own."""

    uow: IdentityUnitOfWork

    async def __call__(self, query: ListKeysQuery) -> Page[ApiKey]:
        owner = owner_in_reach(query.actor)
        async with self.uow as tx:
            page = await tx.api_keys.list(query.actor.team_id, query.page, user_id=owner)
            await learn_allowances(tx, query.actor, page.items)
        return page
