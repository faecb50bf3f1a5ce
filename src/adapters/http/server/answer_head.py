"""Heads of answers as bytes. On the hot path: most headers are joined and not looked at."""

from collections.abc import Iterable
from http import HTTPStatus

Header = tuple[bytes, bytes]

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}
# They end with the head.
_WITHOUT_BODY = frozenset({204, 304})
_LENGTH, _ENCODING, _CONNECTION = b"content-length", b"transfer-encoding", b"connection"

# Whether the headers say where the body ends, its length, and whether they end the connection.
Framing = tuple[bool, int | None, bool]
_NOTHING_SAID: Framing = (False, None, False)


def answer_head(
    status: int, headers: Iterable[Header], common: bytes, *, is_bodiless: bool, closes: bool
) -> tuple[bytes, int | None, bool]:
    """The head, the length of the body that it announces, and whether the connection ends with the
    answer; a length of ``None`` stands for chunks.

    ``common`` are whole lines that every answer has. ``is_bodiless`` is an answer to ``HEAD``,
    which says of its body only what the ``headers`` say. ``closes`` is what the client wants.
    Raises ``ValueError`` where a header would be more than one line: whoever is quoted in it could
    write headers of his own.
    """
    headers = tuple(headers)
    lines = b"\r\n".join((*map(b": ".join, headers), b""))
    # Cheaper than looking for it in each of them.
    count = len(headers)
    if lines.count(b"\n") != count or lines.count(b"\r") != count or b"\0" in lines:
        raise ValueError("A header of the answer is more than one line.")
    is_framed, length, says_closing = _NOTHING_SAID
    lowered = lines.lower()
    if _LENGTH in lowered or _ENCODING in lowered or _CONNECTION in lowered:
        is_framed, length, says_closing = _said(headers)
    end = b"\r\n" if says_closing or not closes else b"connection: close\r\n\r\n"
    if is_bodiless or status in _WITHOUT_BODY:
        length = length or 0
    elif not is_framed:
        end = b"transfer-encoding: chunked\r\n" + end
    return b"".join((_STATUS_LINES[status], common, lines, end)), length, closes or says_closing


def _said(headers: tuple[Header, ...]) -> Framing:
    """Whether the headers say where the body ends, its length if they do, and whether they end the
    connection."""
    is_framed = says_closing = False
    length: int | None = None
    for written, value in headers:
        name = written.lower()
        if name == _CONNECTION:
            says_closing = says_closing or b"close" in value.lower()
        elif name == _LENGTH and not is_framed:
            length, is_framed = int(value), True
        elif name == _ENCODING and value.lower() == b"chunked":
            length, is_framed = None, True
    return is_framed, length, says_closing
