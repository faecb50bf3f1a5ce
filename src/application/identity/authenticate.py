from dataclasses import dataclass

from application.identity.ports import Credentials, KeyActivity
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.api_key import SECRET_PREFIX, hash_secret
from domain.identity.errors import CredentialsInvalidError, CredentialsMissingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """Finds out on whose behalf a request comes from the secret of its API key."""

    credentials: Credentials
    activity: KeyActivity
    clock: Clock

    async def __call__(self, secret: str | None) -> Actor:
        if not secret:
            raise CredentialsMissingError
        if not secret.startswith(SECRET_PREFIX):
            raise CredentialsInvalidError
        credential = await self.credentials.find(hash_secret(secret))
        now = self.clock.now()
        if credential is None or not credential.key.is_live(now):
            raise CredentialsInvalidError
        key = credential.key
        self.activity.touch(key, now)
        return Actor(
            team_id=key.team_id,
            user_id=key.user_id,
            key_id=key.id,
            permissions=key.permissions,
            allowed_models=key.allowed_models,
            capture_content=credential.capture_content,
            allowances=credential.allowances,
        )
