from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.permissions import Permission
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKeyCommand:
    actor: Actor
    key_id: KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    """Closes an API key for good; every node refuses it at once. Its calls stay in the ledger."""

    uow: IdentityUnitOfWork
    clock: Clock

    async def __call__(self, command: RevokeKeyCommand) -> None:
        command.actor.require(Permission.MANAGE_KEYS)
        async with self.uow as tx:
            key = await tx.api_keys.get(command.actor.team_id, command.key_id)
            key.revoke(self.clock.now())
            await tx.api_keys.save(key)
            await tx.commit()
