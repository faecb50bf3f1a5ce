import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
import structlog

from adapters.oidc.documents import Documents, FetchError
from adapters.oidc.signing_keys import SigningKeys
from application.shared.ports import Clock
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

_DISCOVERY = "/.well-known/openid-configuration"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """Without a ``jwks_url``, the provider's discovery document says where its keys are."""

    issuer: str
    jwks_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Seconds: after which keys are fetched again, for how long they still do while the provider
    is away, and between two attempts to fetch them."""

    fresh: float = 3600.0
    usable: float = 24 * 3600.0
    pause: float = 10.0


class ProviderKeys:
    """The signing keys of an identity provider, fetched once for all who wait for them.

    Keys that grow old are renewed behind the requests. A key that is not known is looked for once
    in a while, however many tokens name it, so that new keys of the provider are found and nobody
    can make this server flood it.
    """

    def __init__(
        self,
        provider: IdentityProvider,
        documents: Documents,
        clock: Clock,
        freshness: Freshness,
    ) -> None:
        self.provider = provider
        self._documents = documents
        self._clock = clock
        self._freshness = freshness
        self._keys: SigningKeys | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key, or ``None`` if the provider has no such key. Raises ``UnavailableError`` while
        that cannot be known."""
        keys = await self._usable()
        found = keys.find(kid, algorithm)
        if found is None and self._may_try:
            await self._fetched()
            found = (await self._usable()).find(kid, algorithm)
        if found is None and self._failed:
            # It may be one of the keys that could not be fetched.
            raise self._away()
        return found

    async def stop(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    @property
    def _may_try(self) -> bool:
        now = self._clock.monotonic()
        return self._tried_at is None or now - self._tried_at >= self._freshness.pause

    async def _usable(self) -> SigningKeys:
        age = self._clock.monotonic() - self._fetched_at
        if self._keys is None or age >= self._freshness.usable:
            if self._may_try or self._fetching is not None:
                await self._fetched()
            if self._keys is None or self._failed:
                raise self._away()
        elif age >= self._freshness.fresh and self._may_try:
            self._fetch()
        return self._keys

    async def _fetched(self) -> None:
        # Whoever waits may be cancelled without taking the others along.
        await asyncio.shield(self._fetch())

    def _fetch(self) -> "asyncio.Task[None]":
        if self._fetching is None:
            self._tried_at = self._clock.monotonic()
            self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            keys = SigningKeys(await self._documents.get(await self._jwks_url()))
            if not len(keys):
                raise FetchError("the provider publishes no key for signatures")
            self._keys, self._failed = keys, False
            self._fetched_at = self._clock.monotonic()
            log.info("oidc.keys_fetched", issuer=self.provider.issuer, keys=len(keys))
        except FetchError as error:
            self._failed = True
            log.warning("oidc.keys_not_fetched", issuer=self.provider.issuer, reason=str(error))
        finally:
            self._fetching = None

    async def _jwks_url(self) -> str:
        if self.provider.jwks_url is not None:
            return self.provider.jwks_url
        issuer = self.provider.issuer
        document = await self._documents.get(issuer.rstrip("/") + _DISCOVERY)
        if document.get("issuer") != issuer:
            raise FetchError("the discovery document is that of another issuer")
        return _safe_url(document)

    def _away(self) -> UnavailableError:
        return UnavailableError(
            "The identity provider cannot be reached.", retry_after=self._freshness.pause
        )


def _safe_url(document: Mapping[str, Any]) -> str:
    url = document.get("jwks_uri")
    if isinstance(url, str):
        with contextlib.suppress(ValueError):
            parts = urlsplit(url)
            is_private = parts.scheme == "http" and parts.hostname in _LOOPBACK
            if parts.hostname and (parts.scheme == "https" or is_private):
                return url
    raise FetchError("the discovery document names no https URL of keys")
