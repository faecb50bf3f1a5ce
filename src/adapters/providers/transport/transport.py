"""How providers over HTTP reach the other side."""

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from adapters.providers.transport.endpoint import Endpoint


class UpstreamRequest(msgspec.Struct, frozen=True):
    """A request; ``headers`` are those of this one request; the endpoint holds the others."""

    endpoint: Endpoint
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class UpstreamResponse(Protocol):
    """The head of an answer and the way to its body, which is read once, whole or in blocks.

    Reading raises ``ProviderUnreachableError`` when the connection breaks inside the body,
    ``ProviderTimedOutError`` for silence, which says whether the request was sent whole, and
    ``ProviderFailedError`` for malformed HTTP. Whoever does not read to the end calls ``aclose`` or
    ``finish``.
    """

    @property
    def status(self) -> int: ...

    def header(self, name: str) -> str | None:
        """The first header of that (lower-case) name."""
        ...

    async def read(self, limit: int) -> bytes:
        """The whole body; ``ProviderFailedError`` when it is longer than ``limit`` bytes."""
        ...

    def iter_blocks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces of any size; reading stops while nobody takes them."""
        ...

    async def finish(self) -> None:
        """Take no more of the body, but keep the connection if its end is only a moment away."""
        ...

    async def aclose(self) -> None:
        """Abort: an answer that is not over yet loses its connection at once. Idempotent."""
        ...


class Transport(Protocol):
    """A client that keeps connections; follows no redirect and retries nothing that the other
    side may have seen."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Return when the head of the answer is there, whatever its status.

        Raises ``ProviderUnreachableError``, ``ProviderTimedOutError``, ``ProviderFailedError`` for
        an answer that is not HTTP, and ``InvalidError`` for a header that cannot be sent.
        Cancellation closes the connection.
        """
        ...

    async def aclose(self) -> None:
        """Abort everything in flight and free the connections; idempotent and final."""
        ...
