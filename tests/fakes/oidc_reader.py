from typing import Any

from adapters.oidc.documents import HttpDocuments
from adapters.oidc.identity_tokens import OidcIdentityTokens
from domain.operations.runtime_settings import OIDC_AUDIENCE, OIDC_ISSUER
from tests.fakes.clock import FrozenClock
from tests.fakes.identity_provider import AUDIENCE, IdentityProvider
from tests.fakes.runtime_settings import InMemoryRuntimeSettings


class OidcReader:
    """The real reader of tokens, set to a provider of the test, at a moment that stands still."""

    def __init__(self, provider: IdentityProvider, documents: HttpDocuments | None = None) -> None:
        self.provider = provider
        self.clock = FrozenClock()
        self.settings = InMemoryRuntimeSettings()
        self.settings.set(OIDC_ISSUER, provider.issuer)
        self.settings.set(OIDC_AUDIENCE, (AUDIENCE,))
        self.tokens = OidcIdentityTokens(
            self.settings, documents or HttpDocuments(timeout_s=1.0), self.clock
        )

    def token(self, **options: Any) -> str:
        """A token of this moment."""
        return self.provider.token(self.clock.now(), **options)
