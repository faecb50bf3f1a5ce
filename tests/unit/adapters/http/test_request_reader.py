"""What the bytes of a client may be, and how many of them, whatever the network cuts them into."""

from typing import Any, cast

import pytest

from adapters.http.errors import HeadTooLargeError
from adapters.http.server.cycle import Cycle, Line
from adapters.http.server.request_reader import MAX_HEAD_BYTES, RequestReader, Taker
from domain.shared.errors import InvalidError

CHUNKED = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"
LAST = b"0\r\n"
MUCH = b"a" * 50_000


class Scopes(Taker):
    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def take(self, scope: dict[str, Any], *, closes: bool, wants_continue: bool) -> Cycle:
        self.taken.append(scope)
        return Cycle(cast("Line", None), "POST", closes=closes, wants_continue=wants_continue)

    def pause_reading(self) -> None:
        pass


@pytest.fixture
def scopes() -> Scopes:
    return Scopes()


@pytest.fixture
def reader(scopes: Scopes) -> RequestReader:
    return RequestReader(scopes, {})


def test_a_trailer_is_no_header(reader: RequestReader, scopes: Scopes) -> None:
    reader.read(CHUNKED + LAST + b"x-forwarded-for: 10.0.0.1\r\n\r\n")

    (scope,) = scopes.taken
    assert [name for name, _ in scope["headers"]] == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize(
    "piece",
    [LAST + b"x: " + MUCH, LAST + b"x: y\r\n" * 9_000, b"2;" + MUCH],
    ids=["a trailer", "trailers", "an extension of a chunk"],
)
def test_nothing_beside_a_body_goes_on_for_ever(reader: RequestReader, piece: bytes) -> None:
    reader.read(CHUNKED)

    reader.read(piece)

    with pytest.raises(HeadTooLargeError):
        reader.read(MUCH)


def test_a_body_in_small_chunks_may_be_long(reader: RequestReader, scopes: Scopes) -> None:
    reader.read(CHUNKED)

    for _ in range(10):
        reader.read(b"1\r\nx\r\n" * 10_000)

    assert len(scopes.taken) == 1


def test_a_head_that_comes_in_one_piece_may_not_be_longer_than_others(
    reader: RequestReader, scopes: Scopes
) -> None:
    head = b"GET /v1/x HTTP/1.1\r\nhost: x\r\nx: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n"

    with pytest.raises(HeadTooLargeError):
        reader.read(head)

    assert not scopes.taken


def test_a_request_for_two_hosts_is_for_none(reader: RequestReader, scopes: Scopes) -> None:
    with pytest.raises(InvalidError):
        reader.read(b"GET /v1/x HTTP/1.1\r\nhost: x\r\nHost: y\r\n\r\n")

    assert not scopes.taken
