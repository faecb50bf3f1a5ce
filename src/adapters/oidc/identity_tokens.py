from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt

from adapters.oidc.documents import Documents
from adapters.oidc.provider_keys import Freshness, IdentityProvider, ProviderKeys
from adapters.oidc.signing_keys import ALGORITHMS
from application.identity.external.ports import ExternalIdentity, IdentityTokens
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from domain.identity.errors import CredentialsInvalidError
from domain.identity.user import check_subject
from domain.operations.runtime_settings import (
    OIDC_AUDIENCE,
    OIDC_CLOCK_SKEW_SECONDS,
    OIDC_ISSUER,
    OIDC_JWKS_URL,
)
from domain.shared.errors import InvalidError

MAX_TOKEN_LENGTH = 16 * 1024
# ID tokens and access tokens; not those that tell of a logout, for one.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_LAST_TIME = 1e11
_REQUIRED = ["aud", "exp", "iat", "iss", "sub"]


class OidcIdentityTokens(IdentityTokens):
    """ID tokens and access tokens of the provider that the settings name at the moment."""

    def __init__(
        self,
        settings: RuntimeSettings,
        documents: Documents,
        clock: Clock,
        freshness: Freshness | None = None,
    ) -> None:
        self._settings = settings
        self._documents = documents
        self._clock = clock
        self._freshness = freshness or Freshness()
        self._keys: ProviderKeys | None = None

    async def stop(self) -> None:
        if self._keys is not None:
            await self._keys.stop()

    async def verify(self, token: str) -> ExternalIdentity:
        issuer = self._settings.get(OIDC_ISSUER)
        audience = self._settings.get(OIDC_AUDIENCE)
        if issuer is None or not audience or len(token) > MAX_TOKEN_LENGTH:
            raise CredentialsInvalidError
        header = _claimed_header(token, issuer)
        algorithm = header["alg"]
        key = await self._keys_of(issuer).find(header.get("kid"), algorithm)
        if key is None:
            raise CredentialsInvalidError
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=audience,
                issuer=issuer,
                # The time is not the library's to tell.
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            raise CredentialsInvalidError from None
        self._check_times(claims)
        return _identity(claims)

    def _keys_of(self, issuer: str) -> ProviderKeys:
        provider = IdentityProvider(issuer=issuer, jwks_url=self._settings.get(OIDC_JWKS_URL))
        if self._keys is None or self._keys.provider != provider:
            self._keys = ProviderKeys(provider, self._documents, self._clock, self._freshness)
        return self._keys

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now().timestamp()
        skew = timedelta(seconds=self._settings.get(OIDC_CLOCK_SKEW_SECONDS)).total_seconds()
        begins = max(_time(claims, "nbf", default=now), _time(claims, "iat"))
        if now >= _time(claims, "exp") + skew or now < begins - skew:
            raise CredentialsInvalidError


def _claimed_header(token: str, issuer: str) -> Mapping[str, Any]:
    """What the token says of itself. One that cannot be meant for us costs the provider nothing."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    # Anybody may send anything; a deeply nested token, for one, exhausts the parser's stack.
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise CredentialsInvalidError from None
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    is_known = (
        isinstance(algorithm, str) and algorithm in ALGORITHMS and isinstance(kid, str | None)
    )
    is_meant = isinstance(kind, str) and kind.lower() in _TYPES and claims.get("iss") == issuer
    if not is_known or not is_meant:
        raise CredentialsInvalidError
    return header


def _time(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= _LAST_TIME:
        raise CredentialsInvalidError
    return float(value)


def _identity(claims: Mapping[str, Any]) -> ExternalIdentity:
    try:
        subject = check_subject(claims["sub"])
    except InvalidError:
        raise CredentialsInvalidError from None
    return ExternalIdentity(
        issuer=claims["iss"],
        subject=subject,
        email=_text(claims.get("email")),
        email_verified=claims.get("email_verified") is True,
        name=_text(claims.get("name")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
