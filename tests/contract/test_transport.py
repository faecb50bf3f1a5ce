import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.providers.transport.choice import TransportKind, choose_transport
from adapters.providers.transport.endpoint import Endpoint, Timeouts
from adapters.providers.transport.transport import Transport, UpstreamRequest
from domain.inference.errors import (
    ProviderFailedError,
    ProviderTimedOutError,
    ProviderUnreachableError,
)
from domain.shared.errors import InvalidError
from tests.fakes.upstream import (
    AUTHORITY,
    LAST_CHUNK,
    Act,
    Pause,
    Upstream,
    answer,
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


@pytest.fixture(params=["pool", "aiohttp"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    chosen = choose_transport(kind=TransportKind(request.param), max_connections=2)
    yield chosen
    await chosen.aclose()


def a_request(
    upstream: Upstream,
    *,
    body: bytes = b"{}",
    headers: tuple[tuple[str, str], ...] = (),
    timeouts: Timeouts | None = None,
) -> UpstreamRequest:
    endpoint = Endpoint.parse(
        f"{upstream.base_url}/echo?version=1",
        peer="acme",
        headers={"authorization": "Bearer sk-1", "content-type": "application/json"},
        timeouts=timeouts or Timeouts(connect=2, first_byte=5, between_bytes=5),
    )
    return UpstreamRequest(endpoint, body, headers)


async def test_posts_body_headers_and_target(upstream: Upstream, transport: Transport) -> None:
    request = a_request(upstream, body=b'{"a":1}', headers=(("x-correlation-id", "c-1"),))

    await (await transport.send(request)).read(LIMIT)

    seen = upstream.requests[0]
    assert seen.target == "/v1/echo?version=1"
    assert seen.body == b'{"a":1}'
    assert seen.headers["host"] == upstream.origin.removeprefix("http://")
    assert seen.headers["authorization"] == "Bearer sk-1"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["x-correlation-id"] == "c-1"


async def test_answers_status_headers_and_body(upstream: Upstream, transport: Transport) -> None:
    upstream.play(json_answer(b'{"b":2}', status=418, headers=["X-Request-Id: r-1"]))

    response = await transport.send(a_request(upstream))

    assert response.status == 418
    assert response.header("x-request-id") == "r-1"
    assert response.header("retry-after") is None
    assert await response.read(LIMIT) == b'{"b":2}'


@pytest.mark.parametrize("dribble", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(
    "raw",
    [
        answer(b"hello world"),
        stream_head() + chunk(b"hello") + chunk(b" world") + LAST_CHUNK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"hello world"),
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + answer(b"hello world"),
        stream_head() + chunk(b"hello world") + b"0\r\nx-trailer: 1\r\n\r\n",
    ],
    ids=["length", "chunked", "100", "103", "trailer"],
)
async def test_reads_every_kind_of_body_on_one_connection(
    upstream: Upstream, transport: Transport, raw: bytes, dribble: bool
) -> None:
    upstream.default = [raw]
    upstream.dribble = dribble

    bodies = [await (await transport.send(a_request(upstream))).read(LIMIT) for _ in range(3)]

    assert bodies == [b"hello world"] * 3
    assert upstream.connections == 1


async def test_reads_a_body_that_the_close_ends(upstream: Upstream, transport: Transport) -> None:
    upstream.play(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhel", b"lo", Act.CLOSE)

    first = await (await transport.send(a_request(upstream))).read(LIMIT)
    second = await (await transport.send(a_request(upstream))).read(LIMIT)

    assert (first, second) == (b"hello", b"{}")
    assert upstream.connections == 2


async def test_yields_blocks_as_they_arrive(upstream: Upstream, transport: Transport) -> None:
    upstream.play(stream_head() + chunk(b"one"), Pause(0.05), chunk(b"two"), LAST_CHUNK)

    response = await transport.send(a_request(upstream))
    blocks = [block async for block in response.iter_blocks()]

    assert blocks == [b"one", b"two"]


async def test_refuses_a_body_over_the_limit(upstream: Upstream, transport: Transport) -> None:
    upstream.play(stream_head(), Act.FLOOD)

    response = await transport.send(a_request(upstream))

    with pytest.raises(ProviderFailedError, match="larger than"):
        await response.read(100_000)
    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)


async def test_refuses_a_body_over_the_limit_that_came_at_once(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.play(answer(b"x" * 50))

    response = await transport.send(a_request(upstream))

    with pytest.raises(ProviderFailedError, match="larger than 49 bytes"):
        await response.read(49)


async def test_a_slow_reader_stops_the_sender(upstream: Upstream, transport: Transport) -> None:
    upstream.play(stream_head(), Act.FLOOD)
    response = await transport.send(a_request(upstream))
    blocks = response.iter_blocks()
    await anext(blocks)

    sent = -1
    async with asyncio.timeout(PATIENCE_S):
        # Until all that lies between the two is full.
        while sent != upstream.sent_bytes:
            sent = upstream.sent_bytes
            await asyncio.sleep(0.2)

    await response.aclose()


async def test_a_slow_reader_gets_everything_in_the_end(
    upstream: Upstream, transport: Transport
) -> None:
    size = 12_000_000
    upstream.play(answer(b"x" * size))
    response = await transport.send(a_request(upstream))
    await asyncio.sleep(0.1)

    total = 0
    async for block in response.iter_blocks():
        total += len(block)

    assert total == size


async def test_sends_a_large_body(upstream: Upstream, transport: Transport) -> None:
    body = bytes(range(256)) * 20_000

    await (await transport.send(a_request(upstream, body=body))).read(LIMIT)

    assert upstream.requests[0].body == body


async def test_opens_no_more_connections_than_allowed(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.default = [Pause(0.02), json_answer(b"{}")]

    async def call() -> bytes:
        return await (await transport.send(a_request(upstream))).read(LIMIT)

    bodies = await asyncio.gather(*(call() for _ in range(8)))

    assert bodies == [b"{}"] * 8
    assert upstream.connections == 2


async def test_no_free_connection_in_time_is_a_timeout(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.default = [stream_head()]
    held = [await transport.send(a_request(upstream)) for _ in range(2)]

    with pytest.raises(ProviderTimedOutError, match="acme") as late:
        await transport.send(a_request(upstream, timeouts=Timeouts(connect=0.05)))

    assert not late.value.is_asked
    for response in held:
        await response.aclose()
    upstream.default = [json_answer(b"{}")]
    assert (await transport.send(a_request(upstream))).status == 200


async def test_a_cancelled_wait_gives_its_place_away(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.default = [stream_head()]
    held = [await transport.send(a_request(upstream)) for _ in range(2)]
    waiting = [asyncio.create_task(transport.send(a_request(upstream))) for _ in range(2)]
    await asyncio.sleep(0.02)

    waiting[0].cancel()
    await held[0].aclose()
    response = await asyncio.wait_for(waiting[1], PATIENCE_S)

    assert response.status == 200
    await held[1].aclose()
    await response.aclose()


async def test_nobody_listening_is_unreachable(transport: Transport) -> None:
    async with running_upstream() as upstream:
        request = a_request(upstream)

    with pytest.raises(ProviderUnreachableError, match="acme") as caught:
        await transport.send(request)

    assert "127.0.0.1" not in caught.value.message


@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET], ids=["close", "reset"])
async def test_a_new_connection_without_an_answer_is_unreachable(
    upstream: Upstream, transport: Transport, act: Act
) -> None:
    upstream.play(act)

    with pytest.raises(ProviderUnreachableError):
        await transport.send(a_request(upstream))

    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"hello")[:-2],
        stream_head() + chunk(b"hello"),
        stream_head() + chunk(b"hello")[:-4],
    ],
    ids=["short of its length", "no last chunk", "inside a chunk"],
)
async def test_a_cut_body_is_unreachable(
    upstream: Upstream, transport: Transport, raw: bytes
) -> None:
    upstream.play(raw, Act.CLOSE)

    response = await transport.send(a_request(upstream))

    with pytest.raises(ProviderUnreachableError):
        await response.read(LIMIT)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000,
    ],
    ids=["ssh", "status", "two lengths", "endless header"],
)
async def test_an_answer_that_is_not_http_is_a_failure(
    upstream: Upstream, transport: Transport, raw: bytes
) -> None:
    upstream.play(raw, Act.HANG)

    with pytest.raises(ProviderFailedError, match="malformed"):
        await transport.send(a_request(upstream))


async def test_silence_before_the_head_times_out(upstream: Upstream, transport: Transport) -> None:
    upstream.play(Act.HANG)
    timeouts = Timeouts(connect=0.1, first_byte=0.1)

    # Where this process stands still, it may not even come to a connection.
    late = []
    async with asyncio.timeout(PATIENCE_S):
        while not upstream.requests:
            with pytest.raises(ProviderTimedOutError, match="acme") as error:
                await transport.send(a_request(upstream, timeouts=timeouts))
            late.append(error.value.is_asked)

    assert any(late)
    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)


async def test_who_does_not_even_read_the_request_was_not_asked(transport: Transport) -> None:
    over = asyncio.Event()

    async def read_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(read_nothing, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    endpoint = Endpoint.parse(url, peer="acme", headers={}, timeouts=Timeouts(first_byte=0.1))

    with pytest.raises(ProviderTimedOutError) as late:
        await transport.send(UpstreamRequest(endpoint, b"x" * 64 * 1024 * 1024))

    assert not late.value.is_asked
    over.set()
    server.close()


async def test_silence_inside_the_body_times_out(upstream: Upstream, transport: Transport) -> None:
    upstream.play(stream_head() + chunk(b"one"), Act.HANG)
    response = await transport.send(a_request(upstream, timeouts=Timeouts(between_bytes=0.1)))
    heard = []

    async def hear() -> None:
        async for block in response.iter_blocks():
            heard.append(block)  # noqa: PERF401 - it ends with an error

    with pytest.raises(ProviderTimedOutError):
        await hear()

    # Where this process stands still, the first may be late already.
    assert heard in ([b"one"], [])
    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)


async def test_bytes_do_not_outrun_the_total(upstream: Upstream, transport: Transport) -> None:
    upstream.play(stream_head(), *[step for _ in range(100) for step in (chunk(b"x"), Pause(0.02))])

    with pytest.raises(ProviderTimedOutError):
        await (await transport.send(a_request(upstream, timeouts=Timeouts(total=0.2)))).read(LIMIT)


async def test_a_cancelled_request_closes_its_connection(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.play(Act.HANG)
    task = asyncio.create_task(transport.send(a_request(upstream)))
    await upstream.arrived.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)
    await (await transport.send(a_request(upstream))).read(LIMIT)
    assert upstream.connections == 2


async def test_a_cancelled_reader_closes_its_connection(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.play(stream_head() + chunk(b"one"), Act.HANG)
    response = await transport.send(a_request(upstream))
    task = asyncio.create_task(response.read(LIMIT))
    await asyncio.sleep(0.02)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)


async def test_closing_a_response_closes_its_connection(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.play(stream_head() + chunk(b"one"), Act.HANG)
    response = await transport.send(a_request(upstream))

    await response.aclose()
    await response.aclose()

    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)


async def test_closing_a_finished_response_keeps_its_connection(
    upstream: Upstream, transport: Transport
) -> None:
    for _ in range(2):
        response = await transport.send(a_request(upstream))
        await response.read(LIMIT)
        await response.aclose()

    assert upstream.connections == 1


async def test_finishing_keeps_a_connection_whose_answer_is_about_to_end(
    upstream: Upstream, transport: Transport
) -> None:
    # Where this process stands still, the end may come too late.
    for _ in range(5):
        upstream.play(stream_head() + chunk(b"one"), Pause(0.02), LAST_CHUNK)
        response = await transport.send(a_request(upstream))
        await anext(response.iter_blocks())
        await response.finish()
        await asyncio.sleep(0.05)
        before = upstream.connections
        await (await transport.send(a_request(upstream))).read(LIMIT)
        if upstream.connections == before:
            return

    pytest.fail("no connection was kept")


async def test_finishing_closes_a_connection_whose_answer_goes_on(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.play(stream_head() + chunk(b"one"), Act.FLOOD)
    response = await transport.send(a_request(upstream))
    await anext(response.iter_blocks())

    await response.finish()

    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\x00b", "snow ☃"])
async def test_refuses_a_header_that_cannot_be_sent(
    upstream: Upstream, transport: Transport, value: str
) -> None:
    with pytest.raises(InvalidError, match="x-correlation-id"):
        await transport.send(a_request(upstream, headers=(("x-correlation-id", value),)))

    assert upstream.requests == []


async def test_refuses_a_header_name_that_cannot_be_sent(
    upstream: Upstream, transport: Transport
) -> None:
    with pytest.raises(InvalidError):
        await transport.send(a_request(upstream, headers=(("x: 1\r\ny", "1"),)))


async def test_follows_no_redirect(upstream: Upstream, transport: Transport) -> None:
    upstream.play(answer(b"", status=307, headers=[f"location: {upstream.origin}/other"]))

    response = await transport.send(a_request(upstream))

    assert response.status == 307
    assert len(upstream.requests) == 1


async def test_an_answer_before_the_request_was_read_arrives(transport: Transport) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"too large", status=413))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    upstream = Upstream()
    upstream.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    response = await transport.send(a_request(upstream, body=b"x" * 20_000_000))

    assert response.status == 413
    assert await response.read(LIMIT) == b"too large"
    await response.aclose()
    server.close()


async def test_a_closed_transport_aborts_what_runs_and_sends_no_more(
    upstream: Upstream, transport: Transport
) -> None:
    upstream.play(stream_head() + chunk(b"one"), Act.HANG)
    response = await transport.send(a_request(upstream))
    blocks = response.iter_blocks()
    await anext(blocks)

    await transport.aclose()
    await transport.aclose()

    with pytest.raises((ProviderUnreachableError, StopAsyncIteration)):
        await anext(blocks)
    with pytest.raises(ProviderUnreachableError):
        await transport.send(a_request(upstream))
    await asyncio.wait_for(upstream.requests[0].disconnected.wait(), PATIENCE_S)


@pytest.mark.parametrize("kind", TransportKind)
async def test_speaks_tls_with_a_trusted_server(kind: TransportKind, tmp_path: Path) -> None:
    ca_file = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(ca_file))
    transport = choose_transport(kind=kind, ca_file=ca_file)
    async with running_upstream(tls=True) as upstream:
        bodies = [await (await transport.send(a_request(upstream))).read(LIMIT) for _ in range(2)]
        await transport.aclose()

    assert bodies == [b"{}", b"{}"]
    assert upstream.connections == 1


@pytest.mark.parametrize("kind", TransportKind)
async def test_refuses_tls_with_an_unknown_server(kind: TransportKind) -> None:
    transport = choose_transport(kind=kind)
    async with running_upstream(tls=True) as upstream:
        with pytest.raises(ProviderUnreachableError, match="trusted"):
            await transport.send(a_request(upstream))
        await transport.aclose()

    assert upstream.requests == []
