from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.identity.session_ports import AccessTokens
from domain.identity.errors import CredentialsInvalidError
from domain.identity.session import ACCESS_TOKEN_LIFETIME, Session
from domain.operations.errors import SecretKeyMissingError
from domain.shared.ids import SessionId

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = "stoa"

_PURPOSE = b"stoa access tokens 1"
_KEY_BYTES = 32
_REQUIRED = ["exp", "iat", "iss", "sid", "sub"]


class JwtAccessTokens(AccessTokens):
    """Signed with a key that is derived from the secret key of the server, so that every node
    issues and reads them alike."""

    def __init__(self, secret_key: str | None, previous: str | None = None) -> None:
        """``previous`` is the secret key from before a rotation; its tokens are still read."""
        self._keys = [_derived(key) for key in (secret_key, previous) if key is not None]
        self._current = _derived(secret_key) if secret_key is not None else None

    def issue(self, session: Session, at: datetime) -> str:
        """Raises ``SecretKeyMissingError``."""
        if self._current is None:
            raise SecretKeyMissingError
        claims = {
            "iss": ISSUER,
            "sub": str(session.user_id),
            "sid": str(session.id),
            "iat": int(at.timestamp()),
            "exp": int(min(at + ACCESS_TOKEN_LIFETIME, session.expires_at).timestamp()),
        }
        return jwt.encode(claims, self._current, ALGORITHM, headers={"typ": TYPE})

    def session_of(self, token: str, at: datetime) -> SessionId | None:
        for key in self._keys:
            claims = _claims(token, key)
            if claims is None:
                continue
            if at >= datetime.fromtimestamp(claims["exp"], UTC):
                raise CredentialsInvalidError
            return SessionId(UUID(claims["sid"]))
        return None


def _claims(token: str, key: bytes) -> dict[str, Any] | None:
    """What the token says, if it was signed with the key."""
    try:
        decoded = jwt.decode_complete(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            # The time is ours to tell.
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    payload: dict[str, Any] = decoded["payload"]
    return payload if decoded["header"].get("typ") == TYPE else None


def _derived(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE).derive(
        secret_key.encode()
    )
