from dataclasses import dataclass
from datetime import datetime

from application.identity.key_reach import key_in_reach, recorded
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from application.shared.unset import UNSET, UnsetType
from domain.identity.api_key import ApiKey
from domain.identity.scopes import Scopes, check_given
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateKeyCommand:
    """What is not given stays; ``expires_at=None`` makes the key live for ever."""

    actor: Actor
    key_id: KeyId
    name: str | UnsetType = UNSET
    allowed_models: tuple[str, ...] | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateKey:
    """Changes the name, the allow-list, the scopes or the expiry of an API key; every node obeys at
    once. Nobody can add a scope that he does not have himself."""

    uow: IdentityUnitOfWork
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: UpdateKeyCommand) -> ApiKey:
        async with self.uow as tx:
            key = await key_in_reach(tx, command.actor, command.key_id)
            before = recorded(key)
            self._change(key, command)
            await tx.api_keys.save(key)
            await self.auditor.record(
                tx,
                command.actor,
                "key.updated",
                Target("key", key.id),
                before=before,
                after=recorded(key),
            )
            await tx.commit()
        return key

    def _change(self, key: ApiKey, command: UpdateKeyCommand) -> None:
        if command.name is not UNSET:
            key.rename(command.name)
        if command.allowed_models is not UNSET:
            key.restrict_to(command.allowed_models)
        if command.scopes is not UNSET:
            added = frozenset(command.scopes) - key.permissions
            check_given(added, command.actor.permissions)
            key.limit_to(command.scopes)
        if command.expires_at is not UNSET:
            key.expire(command.expires_at, at=self.clock.now())
