from litestar.types import Send

from adapters.http.problems import Headers


async def send_whole(
    send: Send, status: int, headers: Headers, body: bytes, content_type: str
) -> None:
    """Answer in one piece."""
    own = [
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
