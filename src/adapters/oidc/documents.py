"""Fetching what an identity provider publishes."""

import asyncio
from collections.abc import AsyncIterable
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

MAX_BYTES = 512 * 1024
TIMEOUT_S = 5.0
_CHUNK = 16 * 1024


class FetchError(Exception):
    """The document is not to be had; the message says why, for operators."""


class Documents(Protocol):
    async def get(self, url: str) -> dict[str, Any]:
        """The JSON object at the URL. Raises ``FetchError``."""
        ...


class HttpDocuments(Documents):
    """Bounded in time and size, and without redirects: what is fetched decides who gets in, so it
    comes from the place that was set and from no other."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, max_bytes: int = MAX_BYTES) -> None:
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

    async def get(self, url: str) -> dict[str, Any]:
        # A fifth of a second of imports, for those alone who have an identity provider.
        import aiohttp  # noqa: PLC0415

        try:
            async with (
                asyncio.timeout(self._timeout_s),
                aiohttp.ClientSession() as session,
                session.get(
                    url, allow_redirects=False, headers={"accept": "application/json"}
                ) as answer,
            ):
                if answer.status != HTTPStatus.OK:
                    raise FetchError(f"{url} answers with status {answer.status}")
                body = await self._read(url, answer.content.iter_chunked(_CHUNK))
        except TimeoutError:
            raise FetchError(f"{url} does not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError(f"{url} cannot be read: {error}") from error
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FetchError(f"{url} is no JSON object") from error

    async def _read(self, url: str, chunks: AsyncIterable[bytes]) -> bytes:
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > self._max_bytes:
                raise FetchError(f"{url} is longer than {self._max_bytes} bytes")
        return bytes(body)
