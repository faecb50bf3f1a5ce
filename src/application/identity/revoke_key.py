from dataclasses import dataclass

from application.identity.key_reach import key_in_reach, recorded
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
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
    auditor: Auditor

    async def __call__(self, command: RevokeKeyCommand) -> None:
        async with self.uow as tx:
            key = await key_in_reach(tx, command.actor, command.key_id)
            if key.revoked_at is not None:
                return
            before = recorded(key)
            key.revoke(self.clock.now())
            await tx.api_keys.save(key)
            await self.auditor.record(
                tx,
                command.actor,
                "key.revoked",
                Target("key", key.id),
                before=before,
                after=recorded(key),
            )
            await tx.commit()
