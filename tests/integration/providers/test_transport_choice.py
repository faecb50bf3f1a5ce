from pathlib import Path

import pytest

from adapters.providers.transport.aiohttp_transport import AiohttpTransport
from adapters.providers.transport.choice import TransportKind, choose_transport
from adapters.providers.transport.endpoint import Endpoint, Timeouts
from adapters.providers.transport.pool import PoolTransport
from adapters.providers.transport.transport import Transport, UpstreamRequest
from domain.inference.errors import ProviderUnreachableError
from domain.shared.errors import InvalidError
from tests.fakes.upstream import json_answer, running_upstream

PROXY_VARIABLES = ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")


async def send(transport: Transport, url: str) -> bytes:
    endpoint = Endpoint.parse(url, peer="acme", headers={}, timeouts=Timeouts(connect=2))
    body = await (await transport.send(UpstreamRequest(endpoint, b"{}"))).read(1000)
    await transport.aclose()
    return body


@pytest.mark.parametrize(
    ("kind", "proxy", "chosen"),
    [
        (None, None, PoolTransport),
        (TransportKind.POOL, None, PoolTransport),
        (TransportKind.AIOHTTP, None, AiohttpTransport),
        (None, "http://proxy.test:3128", AiohttpTransport),
    ],
)
async def test_the_pool_is_used_unless_something_needs_aiohttp(
    kind: TransportKind | None, proxy: str | None, chosen: type[Transport]
) -> None:
    assert type(choose_transport(kind=kind, proxy=proxy)) is chosen


@pytest.mark.parametrize(
    ("kind", "proxy", "ca_file", "connections", "param"),
    [
        (TransportKind.POOL, "http://proxy.test", None, 1, "proxy"),
        (None, "socks5://proxy.test", None, 1, "proxy"),
        (None, None, Path("/nonexistent.pem"), 1, "ca_file"),
        (None, None, None, 0, "max_connections"),
    ],
)
def test_refuses_what_cannot_work(
    kind: TransportKind | None,
    proxy: str | None,
    ca_file: Path | None,
    connections: int,
    param: str,
) -> None:
    with pytest.raises(InvalidError) as caught:
        choose_transport(kind=kind, proxy=proxy, ca_file=ca_file, max_connections=connections)

    assert caught.value.param == param


async def test_goes_through_the_configured_proxy() -> None:
    async with running_upstream() as proxy:
        proxy.play(json_answer(b'"from the proxy"'))

        body = await send(choose_transport(proxy=proxy.origin), "http://far.test/v1/chat")

    assert body == b'"from the proxy"'
    assert proxy.requests[0].target == "http://far.test/v1/chat"


async def test_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    async with running_upstream() as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin)

        await send(choose_transport(kind=TransportKind.AIOHTTP), "http://far.test/v1/chat")

    assert proxy.requests[0].target == "http://far.test/v1/chat"


async def test_a_proxy_that_is_not_there_is_unreachable() -> None:
    async with running_upstream() as gone:
        origin = gone.origin
    transport = choose_transport(proxy=origin)

    with pytest.raises(ProviderUnreachableError, match="acme"):
        await send(transport, "http://far.test/v1/chat")

    await transport.aclose()
