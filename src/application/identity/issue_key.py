from dataclasses import dataclass
from datetime import datetime

from application.identity.allowance_change import UNCHANGED, AllowanceChange
from application.identity.key_reach import (
    learn_allowances,
    owner_in_reach,
    permissions_to_give,
    recorded,
)
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.api_key import SECRET_PREFIX, ApiKey
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.scopes import Scopes, check_given, default_scopes
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKeyCommand:
    """Without ``scopes`` the key may do what its maker may, or only call models where an
    allow-list says which."""

    actor: Actor
    name: str
    allowed_models: tuple[str, ...] = ANY_MODEL
    scopes: Scopes | None = None
    expires_at: datetime | None = None
    allowance: AllowanceChange = UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key and its secret, which nobody can learn again."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey:
    """Makes a new API key and shows its secret once.

    The key may use the models that its allow-list covers (`*` stands for any run of characters)
    until it expires or is revoked, and do what its scopes say: never more than its maker may.
    """

    uow: IdentityUnitOfWork
    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator
    auditor: Auditor

    async def __call__(self, command: IssueKeyCommand) -> IssuedKey:
        actor = command.actor
        owner_in_reach(actor)
        scopes = command.scopes
        if scopes is None:
            scopes = default_scopes(actor.permissions, command.allowed_models)
        check_given(scopes, actor.permissions)
        command.allowance.must_be_allowed(actor)
        secret = SECRET_PREFIX + self.secrets.token()
        key = ApiKey.issue(
            id=KeyId(self.ids.new()),
            team_id=actor.team_id,
            user_id=actor.user_id,
            name=command.name,
            secret=secret,
            allowed_models=command.allowed_models,
            scopes=scopes,
            expires_at=command.expires_at,
            at=self.clock.now(),
        )
        async with self.uow as tx:
            check_given(scopes, await permissions_to_give(tx, actor, key.created_at))
            await tx.api_keys.add(key)
            subject = Subject(SubjectKind.KEY, key.id)
            await command.allowance.apply(tx, actor, subject, key.created_at)
            await learn_allowances(tx, actor, [key])
            await self.auditor.record(
                tx, actor, "key.issued", Target("key", key.id), after=recorded(key)
            )
            await tx.commit()
        return IssuedKey(key=key, secret=secret)
