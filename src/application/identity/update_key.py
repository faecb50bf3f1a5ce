from dataclasses import dataclass
from datetime import datetime

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.ports import Clock
from application.shared.unset import UNSET, UnsetType
from domain.identity.api_key import ApiKey
from domain.identity.permissions import Permission
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateKeyCommand:
    """What is not given stays; ``expires_at=None`` makes the key live for ever."""

    actor: Actor
    key_id: KeyId
    name: str | UnsetType = UNSET
    allowed_models: tuple[str, ...] | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateKey:
    """Changes the name, the allow-list or the expiry of an API key; every node obeys at once."""

    uow: IdentityUnitOfWork
    clock: Clock

    async def __call__(self, command: UpdateKeyCommand) -> ApiKey:
        command.actor.require(Permission.MANAGE_KEYS)
        async with self.uow as tx:
            key = await tx.api_keys.get(command.actor.team_id, command.key_id)
            if command.name is not UNSET:
                key.rename(command.name)
            if command.allowed_models is not UNSET:
                key.restrict_to(command.allowed_models)
            if command.expires_at is not UNSET:
                key.expire(command.expires_at, at=self.clock.now())
            await tx.api_keys.save(key)
            await tx.commit()
        return key
