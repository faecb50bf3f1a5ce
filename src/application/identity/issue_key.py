from dataclasses import dataclass
from datetime import datetime

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.api_key import SECRET_PREFIX, ApiKey
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import Permission
from domain.shared.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKeyCommand:
    actor: Actor
    name: str
    allowed_models: tuple[str, ...] = ANY_MODEL
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key and its secret, which nobody can learn again."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey:
    """Makes a new API key and shows its secret once.

    The key may use the models that its allow-list covers (`*` stands for any run of characters)
    until it expires or is revoked. A key with such a list may not manage keys or the team.
    """

    uow: IdentityUnitOfWork
    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator

    async def __call__(self, command: IssueKeyCommand) -> IssuedKey:
        command.actor.require(Permission.MANAGE_KEYS)
        secret = SECRET_PREFIX + self.secrets.token()
        async with self.uow as tx:
            user_id = command.actor.user_id
            if user_id is None:
                user_id = (await tx.users.owner_of(command.actor.team_id)).id
            key = ApiKey.issue(
                id=KeyId(self.ids.new()),
                team_id=command.actor.team_id,
                user_id=user_id,
                name=command.name,
                secret=secret,
                allowed_models=command.allowed_models,
                expires_at=command.expires_at,
                at=self.clock.now(),
            )
            await tx.api_keys.add(key)
            await tx.commit()
        return IssuedKey(key=key, secret=secret)
