from dataclasses import dataclass
from datetime import datetime

from application.identity.allowance_change import UNCHANGED, AllowanceChange
from application.identity.key_reach import (
    key_in_reach,
    learn_allowances,
    permissions_to_give,
    recorded,
)
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from application.shared.unset import UNSET, UnsetType
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.api_key import ApiKey
from domain.identity.permissions import Permission
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
    allowance: AllowanceChange = UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateKey:
    """Changes the name, the allow-list, the scopes, the expiry, the limits or the budget of an API
    key; every node obeys at once. Nobody can add a scope that he does not have himself."""

    uow: IdentityUnitOfWork
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: UpdateKeyCommand) -> ApiKey:
        command.allowance.must_be_allowed(command.actor)
        async with self.uow as tx:
            given = command.actor.permissions
            if command.scopes is not UNSET:
                given = await permissions_to_give(tx, command.actor, self.clock.now())
            key = await key_in_reach(tx, command.actor, command.key_id)
            before = recorded(key)
            self._change(key, command, given)
            if not command.allowance.is_empty:
                key.must_not_be_revoked()
            await tx.api_keys.save(key)
            subject = Subject(SubjectKind.KEY, key.id)
            await command.allowance.apply(tx, command.actor, subject, self.clock.now())
            await learn_allowances(tx, command.actor, [key])
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

    def _change(self, key: ApiKey, command: UpdateKeyCommand, given: frozenset[Permission]) -> None:
        if command.name is not UNSET:
            key.rename(command.name)
        if command.allowed_models is not UNSET:
            key.restrict_to(command.allowed_models)
        if command.scopes is not UNSET:
            added = frozenset(command.scopes) - key.permissions
            check_given(added, given)
            key.limit_to(command.scopes)
        if command.expires_at is not UNSET:
            key.expire(command.expires_at, at=self.clock.now())
