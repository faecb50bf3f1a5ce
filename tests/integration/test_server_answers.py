"""How the server answers clients that behave well, whatever its application does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.http.server.protocol import MAX_WAITING, ServerProtocol
from tests.fakes.http_server import HELLO, LAST_CHUNK, OK, App, begin_of_answer, said, serving


@pytest.fixture
async def app() -> App:
    return App()


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with serving(ServerProtocol, app) as number:
        yield number


async def test_a_connection_serves_one_request_after_the_other(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for _ in range(3):
        writer.write(b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi")
        answers.append(await reader.readuntil(LAST_CHUNK))

    writer.close()

    assert [answer.count(b"hi") for answer in answers] == [1, 1, 1]
    assert all(b"connection: close" not in answer for answer in answers)


@pytest.mark.parametrize("last", [b"HTTP/1.0\r\n", b"HTTP/1.1\r\nconnection: close\r\n"])
async def test_a_client_may_say_that_it_wants_nothing_more(port: int, last: bytes) -> None:
    answer = await said(port, b"GET /v1/hello " + last + b"host: x\r\n\r\n")

    assert answer.startswith(OK)
    assert b"connection: close\r\n" in answer


async def test_who_wants_the_head_alone_gets_no_body(port: int) -> None:
    request = HELLO.replace(b"GET", b"HEAD").replace(b"host", b"connection: close\r\nhost")

    answer = await said(port, request)

    assert answer.startswith(OK)
    assert answer.endswith(b"\r\n\r\n")


async def test_a_client_that_asks_whether_to_send_its_body_is_told_so(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /v1/hello HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    )
    go_on = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"hi")

    answer = await reader.readuntil(LAST_CHUNK)
    writer.close()

    assert go_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(OK)
    assert b"hi" in answer


async def test_a_body_in_chunks_is_put_together(port: int) -> None:
    answer = await begin_of_answer(
        port,
        b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
    )

    assert b"\r\nabcde\r\n" in answer


async def test_an_answer_in_one_piece_is_written_at_once(port: int, app: App) -> None:
    app.headers = [(b"content-length", b"2")]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi")

    answer = await reader.read(10_000)
    writer.close()

    assert answer.startswith(OK)
    assert answer.endswith(b"\r\n\r\nhi")


@pytest.mark.parametrize("length", [b"1", b"3"])
async def test_an_answer_that_lies_about_its_length_is_broken_off(
    port: int, app: App, length: bytes
) -> None:
    app.headers = [(b"content-length", length)]
    request = b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi"

    answer = await said(port, request)

    assert b"hi" not in answer


async def test_the_head_of_a_stream_does_not_wait_for_its_first_piece(port: int, app: App) -> None:
    app.pause = asyncio.Event()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HELLO)

    head = await reader.readuntil(b"\r\n\r\n")
    app.pause.set()
    rest = await reader.readuntil(LAST_CHUNK)
    writer.close()

    assert head.startswith(OK)
    assert rest == LAST_CHUNK


async def test_an_application_that_fails_is_a_500(port: int, app: App) -> None:
    app.error = ValueError("on purpose")

    answer = await said(port, HELLO)

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"purpose" not in answer


async def test_a_client_that_asks_for_nothing_more_is_let_go() -> None:
    async with serving(ServerProtocol, App(), keep_alive_s=0) as port:
        answer = await said(port, HELLO)

    assert answer.startswith(OK)
    assert answer.endswith(LAST_CHUNK)


async def test_more_requests_in_a_row_than_are_read_ahead_are_all_answered(port: int) -> None:
    last = HELLO.replace(b"host", b"connection: close\r\nhost")

    answer = await said(port, HELLO * (3 * MAX_WAITING) + last)

    assert answer.count(OK) == 3 * MAX_WAITING + 1


async def test_a_client_that_reads_slowly_gets_it_all(port: int) -> None:
    body = b"x" * 8_000_000
    head = b"POST /v1/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=10_000)
    writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)

    received = 0
    while piece := await reader.read(100_000):
        received += len(piece)
    writer.close()

    assert received > len(body)


async def test_an_answer_with_a_header_too_many_is_not_given(port: int, app: App) -> None:
    app.headers = [(b"x-said", b"a\r\nset-cookie: b")]

    answer = await said(port, HELLO)

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in answer
