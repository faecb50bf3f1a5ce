from collections.abc import Mapping
from typing import Any

import jwt

from adapters.oidc.believed_tokens import BelievedToken, BelievedTokens, Terms
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
        self._believed = BelievedTokens()

    async def stop(self) -> None:
        if self._keys is not None:
            await self._keys.stop()

    async def verify(self, token: str) -> ExternalIdentity:
        terms = Terms(
            issuer=self._settings.get(OIDC_ISSUER), audience=self._settings.get(OIDC_AUDIENCE)
        )
        if terms.issuer is None or not terms.audience or len(token) > MAX_TOKEN_LENGTH:
            raise CredentialsInvalidError
        keys = self._keys_of(terms.issuer)
        # To check a signature takes as long as all else together, and most tokens come many times.
        believed = self._believed.find(token, terms)
        if believed is None or await keys.find(*believed.key_name) is not believed.key:
            believed = await _read(token, terms.issuer, terms, keys)
            self._believed.remember(token, believed)
        self._check_times(believed)
        return believed.identity

    def _keys_of(self, issuer: str) -> ProviderKeys:
        provider = IdentityProvider(issuer=issuer, jwks_url=self._settings.get(OIDC_JWKS_URL))
        if self._keys is None or self._keys.provider != provider:
            self._keys = ProviderKeys(provider, self._documents, self._clock, self._freshness)
        return self._keys

    def _check_times(self, believed: BelievedToken) -> None:
        now = self._clock.now().timestamp()
        skew = self._settings.get(OIDC_CLOCK_SKEW_SECONDS)
        if now >= believed.ends + skew or now < believed.begins - skew:
            raise CredentialsInvalidError


async def _read(token: str, issuer: str, terms: Terms, keys: ProviderKeys) -> BelievedToken:
    header = _claimed_header(token, issuer)
    key_name = (header.get("kid"), header["alg"])
    key = await keys.find(*key_name)
    if key is None:
        raise CredentialsInvalidError
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            audience=terms.audience,
            issuer=issuer,
            # The time is not the library's to tell, and goes on for a token that is remembered.
            options={
                "require": _REQUIRED,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.PyJWTError:
        raise CredentialsInvalidError from None
    issued = _time(claims, "iat")
    return BelievedToken(
        terms=terms,
        key_name=key_name,
        key=key,
        identity=_identity(claims),
        begins=max(issued, _time(claims, "nbf", default=issued)),
        ends=_time(claims, "exp"),
    )


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
