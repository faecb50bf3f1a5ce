import pytest

from adapters.http.server.answer_head import answer_head

DATE = b"date: now\r\n"


def head(
    *headers: tuple[bytes, bytes],
    status: int = 200,
    is_bodiless: bool = False,
    closes: bool = False,
) -> tuple[bytes, int | None, bool]:
    return answer_head(status, headers, DATE, is_bodiless=is_bodiless, closes=closes)


def test_an_answer_that_says_its_length_ends_there() -> None:
    data, length, closes = head((b"Content-Length", b"3"), (b"x-one", b"1"))

    assert data == b"HTTP/1.1 200 OK\r\ndate: now\r\nContent-Length: 3\r\nx-one: 1\r\n\r\n"
    assert (length, closes) == (3, False)


def test_an_answer_of_unknown_length_comes_in_chunks() -> None:
    data, length, _ = head()

    assert data.endswith(b"\r\ntransfer-encoding: chunked\r\n\r\n")
    assert length is None


@pytest.mark.parametrize(("status", "is_bodiless"), [(204, False), (304, False), (200, True)])
def test_an_answer_without_a_body_says_nothing_of_it(status: int, is_bodiless: bool) -> None:
    data, length, _ = head(status=status, is_bodiless=is_bodiless)

    assert b"transfer-encoding" not in data
    assert length == 0


def test_a_status_that_only_one_api_knows_has_no_words() -> None:
    assert head(status=529)[0].startswith(b"HTTP/1.1 529 \r\n")


def test_either_side_may_want_the_connection_closed() -> None:
    by_client, _, client_closes = head(closes=True)
    by_application, _, application_closes = head((b"connection", b"Close"), closes=True)

    assert client_closes
    assert application_closes
    assert by_client.count(b"connection: close\r\n") == 1
    assert by_application.lower().count(b"connection: close\r\n") == 1


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b"])
def test_nobody_who_is_quoted_in_a_header_writes_another_one(value: bytes) -> None:
    with pytest.raises(ValueError, match="more than one line"):
        head((b"x-said", value))
