from dataclasses import dataclass

from application.identity.ports import Credentials, KeyActivity
from application.identity.session_ports import (
    AccessTokens,
    ExternalIdentities,
    KnownSession,
    SessionActivity,
    SessionDirectory,
)
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.api_key import SECRET_PREFIX, hash_secret
from domain.identity.errors import (
    CredentialsInvalidError,
    CredentialsMissingError,
    SessionEndedError,
)
from domain.identity.permissions import permissions_of
from domain.identity.session import REFRESH_PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAccess:
    """People who have logged in, by whatever they show of it."""

    directory: SessionDirectory
    activity: SessionActivity
    tokens: AccessTokens
    external: ExternalIdentities
    clock: Clock

    async def by_cookie(self, secret: str) -> Actor:
        """Raises ``SessionEndedError``."""
        actor = self._actor(await self.directory.find(hash_secret(secret)))
        if actor is None:
            raise SessionEndedError
        return actor

    async def by_token(self, token: str) -> Actor:
        """An access token, or one of somebody who vouches for people; raises
        ``CredentialsInvalidError``."""
        # It is only good for new access tokens.
        if token.startswith(REFRESH_PREFIX):
            raise CredentialsInvalidError
        session_id = self.tokens.session_of(token, self.clock.now())
        if session_id is None:
            return await self.external.actor_of(token)
        actor = self._actor(await self.directory.find(session_id))
        if actor is None:
            raise CredentialsInvalidError
        return actor

    def _actor(self, known: KnownSession | None) -> Actor | None:
        now = self.clock.now()
        if known is None or not known.session.is_live(now):
            return None
        session = known.session
        self.activity.touch(session, now)
        return Actor(
            team_id=session.team_id,
            user_id=session.user_id,
            session_id=session.id,
            permissions=permissions_of(known.role, is_operator=known.is_operator),
            allowances=known.allowances,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """Finds out on whose behalf a request comes: from the secret of an API key or an access token,
    or else from the secret of a session's cookie."""

    credentials: Credentials
    activity: KeyActivity
    sessions: SessionAccess
    clock: Clock

    async def __call__(self, secret: str | None, *, cookie: str | None = None) -> Actor:
        if not secret:
            if not cookie:
                raise CredentialsMissingError
            return await self.sessions.by_cookie(cookie)
        if not secret.startswith(SECRET_PREFIX):
            return await self.sessions.by_token(secret)
        credential = await self.credentials.find(hash_secret(secret))
        now = self.clock.now()
        if credential is None or not credential.key.is_live(now):
            raise CredentialsInvalidError
        self.activity.touch(credential.key, now)
        return credential.actor
