"""What only our own pool promises, beyond the contract of a transport."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.providers.transport.endpoint import Endpoint, Timeouts
from adapters.providers.transport.pool import PoolTransport
from adapters.providers.transport.transport import UpstreamRequest
from domain.inference.errors import ProviderFailedError, ProviderUnreachableError
from domain.shared.errors import InvalidError
from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Pause,
    Upstream,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)
from tests.fixtures.patience import PATIENCE_S

LIMIT = 1 << 20


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as server:
        yield server


@pytest.fixture
async def pool() -> AsyncIterator[PoolTransport]:
    transport = PoolTransport(idle_s=0.2)
    yield transport
    await transport.aclose()


def a_request(upstream: Upstream, path: str = "/v1/chat") -> UpstreamRequest:
    endpoint = Endpoint.parse(
        upstream.origin + path, peer="acme", headers={}, timeouts=Timeouts(first_byte=5)
    )
    return UpstreamRequest(endpoint, b"{}")


async def call(pool: PoolTransport, upstream: Upstream) -> bytes:
    return await (await pool.send(a_request(upstream))).read(LIMIT)


async def test_callers_wait_in_order(upstream: Upstream) -> None:
    upstream.default = [Pause(0.01), json_answer(b"{}")]
    pool = PoolTransport(max_connections=1)
    done: list[int] = []

    async def call_as(number: int) -> None:
        await call(pool, upstream)
        done.append(number)

    await asyncio.gather(*(call_as(number) for number in range(8)))

    assert done == list(range(8))
    assert upstream.connections == 1
    await pool.aclose()


@pytest.mark.parametrize("endless", [b"0\r\nx-sum: ", b"3;x="], ids=["trailer", "extension"])
async def test_what_is_around_a_body_ends_somewhere(
    upstream: Upstream, pool: PoolTransport, endless: bytes
) -> None:
    upstream.play(stream_head() + chunk(b"one") + endless, *[b"y" * 65_536] * 8, Act.HANG)

    with pytest.raises(ProviderFailedError, match="malformed"):
        await call(pool, upstream)


@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET], ids=["close", "reset"])
async def test_retries_once_on_a_kept_connection_that_ends_without_a_byte(
    upstream: Upstream, pool: PoolTransport, act: Act
) -> None:
    await call(pool, upstream)
    upstream.play(act)

    body = await call(pool, upstream)

    assert body == b"{}"
    assert [seen.connection for seen in upstream.requests] == [0, 0, 1]


async def test_does_not_retry_twice(upstream: Upstream, pool: PoolTransport) -> None:
    await call(pool, upstream)
    upstream.play(Act.CLOSE)
    upstream.play(Act.CLOSE)

    with pytest.raises(ProviderUnreachableError):
        await call(pool, upstream)

    assert len(upstream.requests) == 3


async def test_does_not_retry_after_the_first_byte(upstream: Upstream, pool: PoolTransport) -> None:
    await call(pool, upstream)
    upstream.play(b"H", Act.CLOSE)

    with pytest.raises(ProviderUnreachableError):
        await call(pool, upstream)

    assert len(upstream.requests) == 2


async def test_uses_no_connection_that_the_server_closed(
    upstream: Upstream, pool: PoolTransport
) -> None:
    await call(pool, upstream)
    await upstream.drop_connections()
    await asyncio.sleep(0.02)

    await call(pool, upstream)

    assert [seen.connection for seen in upstream.requests] == [0, 1]


async def test_idle_connections_expire(upstream: Upstream, pool: PoolTransport) -> None:
    await call(pool, upstream)

    await asyncio.wait_for(upstream.all_gone.wait(), PATIENCE_S)
    await call(pool, upstream)
    assert upstream.connections == 2


@pytest.mark.parametrize("extra", [b"x", json_answer(b'"not yours"')], ids=["junk", "an answer"])
@pytest.mark.parametrize("later", [False, True], ids=["with the answer", "later"])
async def test_bytes_that_nobody_asked_for_never_reach_the_next_request(
    upstream: Upstream, pool: PoolTransport, extra: bytes, later: bool
) -> None:
    if later:
        upstream.play(json_answer(b"1"), Pause(0.02), extra)
    else:
        upstream.play(json_answer(b"1") + extra)

    first = await call(pool, upstream)
    await asyncio.sleep(0.05)
    second = await call(pool, upstream)

    assert (first, second) == (b"1", b"{}")
    assert [seen.connection for seen in upstream.requests] == [0, 1]


async def test_an_answer_that_says_close_is_the_last_of_its_connection(
    upstream: Upstream, pool: PoolTransport
) -> None:
    upstream.play(json_answer(b"1", headers=["connection: close"]))

    await call(pool, upstream)
    await call(pool, upstream)

    assert [seen.connection for seen in upstream.requests] == [0, 1]


async def test_refuses_heads_over_the_limit(upstream: Upstream, pool: PoolTransport) -> None:
    upstream.play(json_answer(b"1", headers=[f"x-{i}: {'y' * 1000}" for i in range(70)]))

    with pytest.raises(ProviderFailedError, match="malformed"):
        await call(pool, upstream)


async def test_refuses_interim_answers_without_end(upstream: Upstream, pool: PoolTransport) -> None:
    upstream.play(*[b"HTTP/1.1 100 Continue\r\n\r\n" * 100] * 1000)

    with pytest.raises(ProviderFailedError, match="malformed"):
        await call(pool, upstream)


async def test_keeps_origins_apart(pool: PoolTransport) -> None:
    async with running_upstream() as one, running_upstream() as other:
        await call(pool, one)
        await call(pool, other)
        await call(pool, one)

    assert (len(one.requests), one.connections) == (2, 1)
    assert (len(other.requests), other.connections) == (1, 1)


async def test_hundreds_of_streams_share_the_pool(upstream: Upstream, pool: PoolTransport) -> None:
    upstream.default = [stream_head(), *[chunk(b"data: x\n\n")] * 20, LAST_CHUNK]

    async def read() -> int:
        response = await pool.send(a_request(upstream))
        return sum([len(block) async for block in response.iter_blocks()])

    sizes = await asyncio.gather(*(read() for _ in range(200)))

    assert sizes == [180] * 200


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.test/v1",
        "file:///etc/passwd",
        "example.test/v1",
        "http://",
        "http://example.test:0/v1",
        "http://example.test:99999/v1",
        "http://user:secret@example.test/v1",
        "http://example.test/v1#part",
        "http://example.test/a b",
        "http://example.test/a\r\nx: 1",
        "http://[::1/v1",
    ],
)
def test_refuses_urls_that_cannot_be_sent(url: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Endpoint.parse(url, peer="acme", headers={}, timeouts=Timeouts())

    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://example.test", b"POST / HTTP/1.1\r\nhost: example.test\r\n"),
        ("https://example.test/v1", b"POST /v1 HTTP/1.1\r\nhost: example.test\r\n"),
        (
            "http://example.test:8080/v1?a=b",
            b"POST /v1?a=b HTTP/1.1\r\nhost: example.test:8080\r\n",
        ),
        ("http://[::1]:8080/v1", b"POST /v1 HTTP/1.1\r\nhost: [::1]:8080\r\n"),
    ],
)
def test_names_the_host_as_http_wants(url: str, line: bytes) -> None:
    endpoint = Endpoint.parse(url, peer="acme", headers={}, timeouts=Timeouts())

    assert endpoint.head == line
