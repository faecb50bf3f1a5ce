from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.identity.sessions.me import Me, me_of
from application.identity.sessions.person import person_of
from application.shared.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMe:
    """Shows the person who asks, with the teams that the person is in."""

    uow: IdentityUnitOfWork

    async def __call__(self, actor: Actor) -> Me:
        user_id = person_of(actor)
        async with self.uow as tx:
            return await me_of(tx, actor, await tx.users.get(user_id))
