import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import aiohttp
from yarl import URL

from adapters.providers.transport.endpoint import Endpoint, header_line
from adapters.providers.transport.reach import Reach, check_reach, present_reach
from adapters.providers.transport.tls import trust
from adapters.providers.transport.transport import Transport, UpstreamRequest, UpstreamResponse
from domain.inference.errors import (
    ProviderFailedError,
    ProviderTimedOutError,
    ProviderUnreachableError,
)

_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_MAX_HEADER_BYTES = 64 * 1024
_FINISH_WITHIN_S = 0.2
# Shorter than what servers keep, because a stale connection is not retried here.
_KEEP_S = 4.0
# aiohttp warns about, and may block on, larger bodies that are not file-like.
_LARGE_BODY_BYTES = 512 * 1024
# RuntimeError is its word for a session that was closed in the meantime.
_ERRORS = (aiohttp.ClientError, OSError, RuntimeError)


class AiohttpTransport(Transport):
    """The way through a proxy, and for servers that the pool does not get on with.

    Without an explicit ``proxy`` the environment decides (``HTTPS_PROXY``, ``NO_PROXY``…).
    """

    def __init__(
        self, *, proxy: str | None = None, max_connections: int = 512, ca_file: Path | None = None
    ) -> None:
        self._proxy = None if proxy is None else URL(proxy)
        self._max_connections = max_connections
        self._reach = present_reach()
        self._tls = None if ca_file is None else trust(ca_file)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        endpoint = request.endpoint
        timeouts = endpoint.timeouts
        for name, value in request.headers:
            header_line(name, value)
        check_reach(self._reach, endpoint.origin.host, endpoint.peer)
        if self._proxy is not None:
            # A literal address is never resolved, so nobody else looks at it.
            check_reach(self._reach, self._proxy.host or "", endpoint.peer)
        loop = asyncio.get_running_loop()
        latest = inf if timeouts.total is None else loop.time() + timeouts.total
        body = request.body
        sending = _Sending(len(body))
        first = inf if timeouts.first_byte is None else timeouts.first_byte
        within = min(first + (timeouts.connect or 0.0), latest - loop.time())
        try:
            async with asyncio.timeout(None if within == inf else within):
                response = await self._open_session().request(
                    endpoint.method,
                    URL(endpoint.url, encoded=True),
                    data=BytesIO(body) if len(body) > _LARGE_BODY_BYTES else body,
                    headers=[*endpoint.headers, *request.headers],
                    proxy=self._proxy,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(connect=timeouts.connect),
                    trace_request_ctx=sending,
                )
        except _ERRORS as error:
            _raise(error, endpoint, is_asked=sending.is_over)
        return AiohttpResponse(response, endpoint, latest)

    async def aclose(self) -> None:
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise ProviderUnreachableError("The connections were closed.")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    resolver=None if self._reach is None else _ReachingResolver(self._reach),
                    limit_per_host=self._max_connections,
                    keepalive_timeout=_KEEP_S,
                    ssl=True if self._tls is None else self._tls,
                ),
                trust_env=self._proxy is None,
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_AUTOMATIC,
                trace_configs=[_watching()],
                max_line_size=_MAX_HEADER_BYTES,
                max_field_size=_MAX_HEADER_BYTES,
            )
        return self._session


class _ReachingResolver(aiohttp.abc.AbstractResolver):
    """Resolves names to what may be reached. aiohttp resolves the name of a proxy too, but a proxy
    resolves the others itself."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._resolver = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        check_reach(self._reach, host, host)
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            check_reach(self._reach, one["host"], host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


class AiohttpResponse(UpstreamResponse, AsyncIterator[bytes]):
    def __init__(self, response: aiohttp.ClientResponse, endpoint: Endpoint, latest: float) -> None:
        self._response = response
        self._endpoint = endpoint
        self._latest = latest

    @property
    def status(self) -> int:
        return self._response.status

    def header(self, name: str) -> str | None:
        return self._response.headers.get(name)

    async def read(self, limit: int) -> bytes:
        body = bytearray()
        async for block in self.iter_blocks():
            body += block
            if len(body) > limit:
                await self.aclose()
                raise ProviderFailedError(
                    f"The answer of the provider '{self._endpoint.peer}' is larger than "
                    f"{limit} bytes."
                )
        return bytes(body)

    def iter_blocks(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            async with asyncio.timeout(self._silence()):
                block = await self._response.content.readany()
        except _ERRORS as error:
            await self.aclose()
            _raise(error, self._endpoint, is_asked=True)
        except BaseException:
            await self.aclose()
            raise
        if not block:
            raise StopAsyncIteration
        return block

    async def finish(self) -> None:
        with suppress(*_ERRORS):
            async with asyncio.timeout(_FINISH_WITHIN_S):
                while await self._response.content.readany():
                    pass
        await self.aclose()

    async def aclose(self) -> None:
        # A no-op once the body was read to its end and the connection went back.
        self._response.close()

    def _silence(self) -> float | None:
        left = self._latest - asyncio.get_running_loop().time()
        between = self._endpoint.timeouts.between_bytes
        within = left if between is None else min(left, between)
        return None if within == inf else within


class _Sending:
    """How much of a body has still to be sent."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._has_begun = False

    @property
    def is_over(self) -> bool:
        return self._has_begun and self._left <= 0

    def begin(self) -> None:
        self._has_begun = True

    def send(self, data: bytes) -> None:
        self._left -= len(data)


def _watching() -> aiohttp.TraceConfig:
    async def begin(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.begin()

    async def send(
        _: object, context: SimpleNamespace, sent: aiohttp.TraceRequestChunkSentParams
    ) -> None:
        context.trace_request_ctx.send(sent.chunk)

    watching = aiohttp.TraceConfig()
    watching.on_request_headers_sent.append(begin)
    watching.on_request_chunk_sent.append(send)
    return watching


def _raise(error: Exception, endpoint: Endpoint, *, is_asked: bool) -> NoReturn:
    peer = endpoint.peer
    # aiohttp's timeouts are OSErrors too, so they come first.
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientConnectorError):
        raise ProviderTimedOutError(
            f"The provider '{peer}' did not answer in time.", is_asked=is_asked
        ) from error
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        raise ProviderUnreachableError(
            f"The proxy before the provider '{peer}' refused or could not be reached."
        ) from error
    if isinstance(error, aiohttp.ClientResponseError):
        raise ProviderFailedError(f"The provider '{peer}' answered with malformed HTTP.") from error
    if isinstance(error, aiohttp.ClientSSLError):
        raise ProviderUnreachableError(
            f"The provider '{peer}' offers no TLS that can be trusted."
        ) from error
    raise ProviderUnreachableError(
        f"The connection to the provider '{peer}' could not be made or broke."
    ) from error
