"""The whole body of a request, no more of it than is allowed."""

from litestar.types import HTTPScope, Receive

from adapters.http.errors import UnsupportedMediaTypeError
from adapters.http.request_headers import request_headers
from domain.shared.errors import TooLargeError

_PLAIN_ENCODINGS = (b"", b"identity")


class ClientGoneError(Exception):
    """The client went away before it had said what it wants: there is no call to record."""


async def read_body(scope: HTTPScope, receive: Receive, limit: int) -> bytes:
    """Raises ``TooLargeError`` without reading more than is allowed, and
    ``UnsupportedMediaTypeError`` for a compressed one."""
    length, encoding = _length_and_encoding(scope)
    if length > limit:
        raise _too_large(limit)
    check_plain(encoding)
    message = await receive()
    body: bytes = message.get("body", b"")  # type: ignore[assignment]
    if message.get("more_body"):
        buffer = bytearray(body)
        while message.get("more_body"):
            message = await receive()
            buffer += message.get("body", b"")  # type: ignore[arg-type]
            if len(buffer) > limit:
                raise _too_large(limit)
        body = bytes(buffer)
    if len(body) > limit:
        raise _too_large(limit)
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return body


def check_plain(encoding: bytes) -> None:
    """Raises ``UnsupportedMediaTypeError`` for a compressed body."""
    if encoding not in _PLAIN_ENCODINGS:
        raise UnsupportedMediaTypeError(
            "The request body is encoded (see its 'Content-Encoding'), which is not supported. "
            "Send it as plain JSON."
        )


def content_type_of(scope: HTTPScope) -> str:
    return request_headers(scope).get(b"content-type", b"").decode("latin-1")


def _length_and_encoding(scope: HTTPScope) -> tuple[int, bytes]:
    headers = request_headers(scope)
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0, headers.get(b"content-encoding", b"").lower()


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The request body is larger than {limit} bytes.")
