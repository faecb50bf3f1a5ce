"""What the server does with connections that are not those of a well-behaved client."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.http.server.protocol import ServerProtocol
from adapters.http.server.request_reader import MAX_HEAD_BYTES
from tests.fakes.http_server import HELLO, OK, App, begin_of_answer, said, serving
from tests.fixtures.patience import PATIENCE_S


class ImpatientProtocol(ServerProtocol):
    head_s = 0.1
    body_pause_s = 0.1


@pytest.fixture
async def app() -> App:
    return App()


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with serving(ServerProtocol, app) as number:
        yield number


@pytest.fixture
async def impatient_port(app: App) -> AsyncIterator[int]:
    async with serving(ImpatientProtocol, app) as number:
        yield number


def parts(answer: bytes) -> tuple[str, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers["content-length"]) == len(body)
    return status, headers, json.loads(body)


async def test_bytes_that_are_no_http_are_answered_with_an_id(port: int) -> None:
    status, headers, body = parts(await said(port, b"\x16\x03\x01 hello\r\n\r\n"))

    assert status == "HTTP/1.1 400 Invalid request"
    assert headers["x-request-id"] in body["instance"]
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"


async def test_a_malformed_request_to_the_dialect_is_answered_in_it(port: int) -> None:
    request = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: -5\r\n\r\n"

    status, headers, body = parts(await said(port, request))

    assert status.startswith("HTTP/1.1 400")
    assert headers["x-request-id"]
    assert set(body["error"]) == {"message", "type", "param", "code"}


async def test_a_malformed_request_for_a_message_is_answered_as_anthropic_would(port: int) -> None:
    request = b"POST /v1/messages?beta=true HTTP/1.1\r\ncontent-length: -5\r\n\r\n"

    status, headers, body = parts(await said(port, request))

    assert status.startswith("HTTP/1.1 400")
    assert body["type"] == "error"
    assert body["error"]["type"] == "invalid_request_error"
    assert body["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize(
    "endless",
    [b"GET /v1/" + b"a" * 60_000, b"GET /v1/x HTTP/1.1\r\n" + b"x: y\r\n" * 9000],
    ids=["url", "headers"],
)
async def test_a_head_without_end_is_refused(port: int, endless: bytes) -> None:
    answer = await said(port, endless + b"z" * MAX_HEAD_BYTES)

    assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
    assert b"x-request-id" in answer


async def test_a_head_behind_a_long_body_is_not_taken_for_a_part_of_it(port: int) -> None:
    body = b"x" * 150_000
    request = b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-length: 150000\r\n\r\n" + body
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000_000)
    writer.write(request + HELLO[:20])
    first = await reader.readuntil(b"0\r\n\r\n")
    writer.write(HELLO[20:].replace(b"host", b"connection: close\r\nhost"))

    second = await reader.read()
    writer.close()

    assert first.startswith(OK)
    assert second.startswith(OK)


async def test_a_head_that_does_not_come_is_not_waited_for(impatient_port: int) -> None:
    status, _, body = parts(await said(impatient_port, HELLO[:30]))

    assert status == "HTTP/1.1 408 Request timed out"
    assert body["error"]["code"] == "request_timeout"


async def test_a_body_that_does_not_come_is_not_waited_for(impatient_port: int) -> None:
    request = b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhi"

    answer = await said(impatient_port, request)

    assert answer.startswith(b"HTTP/1.1 408")


async def test_a_slow_body_may_take_its_time(impatient_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", impatient_port)
    writer.write(b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n")
    for _ in range(5):
        await asyncio.sleep(0.05)
        writer.write(b"x")

    answer = await reader.readuntil(b"0\r\n\r\n")
    writer.close()

    assert answer.startswith(OK)
    assert b"xxxxx" in answer


async def test_a_connection_opened_in_advance_is_closed_without_a_word(
    impatient_port: int,
) -> None:
    assert await said(impatient_port, b"") == b""


async def test_a_request_that_is_being_answered_may_take_longer(
    impatient_port: int, app: App
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", impatient_port)
    writer.write(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await reader.read()

    assert not app.left_alone.is_set()
    writer.close()


async def test_an_offer_of_http_2_does_not_lose_the_body(port: int) -> None:
    answer = await begin_of_answer(
        port,
        b"POST /v1/hello HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 20\r\n"
        b"Host: x\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n\r\n"
        b'{"upgrade":"please"}',
    )

    assert answer.startswith(OK)
    assert b'{"upgrade":"please"}' in answer


async def test_requests_in_a_row_are_answered_in_order(port: int) -> None:
    one = b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\none"
    last = one.replace(b"one", b"two").replace(b"host", b"connection: close\r\nhost")

    answer = await said(port, one + one + last)

    assert [answer.count(b"one"), answer.count(b"two")] == [2, 1]
    assert answer.index(b"two") > answer.rindex(b"one")


@pytest.mark.parametrize(
    "broken",
    [b"\x16\x03\x01 hello\r\n\r\n", HELLO.replace(b"x\r\n", b"x\r\nTransfer-Encoding: x\r\n")],
    ids=["no http", "no body"],
)
async def test_what_came_whole_is_answered_before_what_is_broken_behind_it(
    port: int, broken: bytes
) -> None:
    answer = await said(port, HELLO + HELLO + broken)

    assert answer.startswith(OK)
    assert answer.count(OK) == 2
    assert answer.count(b"HTTP/1.1 400") == 1
    assert answer.rindex(OK) < answer.index(b"HTTP/1.1 400")


async def test_a_head_that_does_not_come_behind_a_request_does_not_answer_it(
    impatient_port: int, app: App
) -> None:
    app.pause = asyncio.Event()
    asking = asyncio.create_task(said(impatient_port, HELLO + HELLO[:20]))
    await asyncio.sleep(0.3)

    app.pause.set()
    answer = await asking

    assert answer.startswith(OK)
    assert b"HTTP/1.1 408" in answer


async def test_a_hang_up_reaches_the_request_in_progress_behind_which_another_waits(
    port: int, app: App
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
    await app.waiting.wait()
    writer.write(HELLO)
    await asyncio.sleep(0.05)

    writer.transport.abort()

    async with asyncio.timeout(PATIENCE_S):
        await app.left_alone.wait()
