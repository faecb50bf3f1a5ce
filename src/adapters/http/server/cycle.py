"""One request and its answer, as an ASGI application sees them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import structlog

from adapters.http.server.answer_head import Header, answer_head

log = structlog.get_logger()

App = Callable[[Any, Any, Any], Awaitable[None]]
Message = dict[str, Any]

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_INTERNAL = b"Internal Server Error"
_LAST_CHUNK = b"0\r\n\r\n"


class Line(Protocol):
    """The connection, as far as one request has to do with it."""

    loop: asyncio.AbstractEventLoop
    # Whether the client takes no more for now.
    is_full: bool
    write: Callable[[bytes], None]
    close: Callable[[], None]

    @property
    def common(self) -> bytes:
        """The lines that every head has."""
        ...

    async def drain(self) -> None:
        """Wait until the client takes more, or is gone."""
        ...

    def read_on(self) -> None:
        """Let the client send more of the body."""
        ...

    def answered(self) -> None:
        """The answer is complete."""
        ...

    def ended(self, cycle: "Cycle") -> None:
        """The application has returned, and with it the task of the request."""
        ...


class Cycle:
    """ASGI's ``receive`` and ``send`` of one request.

    What most requests do not need is made only for those that do: an event to wait for, since the
    body is there already, and a write of its own for the head, since the body follows at once.
    """

    __slots__ = (
        "_body",
        "_has_news",
        "_head",
        "_is_bodiless",
        "_is_chunked",
        "_left",
        "_line",
        "_news",
        "_on_gone",
        "closes",
        "is_complete",
        "is_gone",
        "is_started",
        "method",
        "more_body",
        "task",
        "wants_continue",
    )

    def __init__(self, line: Line, method: str, *, closes: bool, wants_continue: bool) -> None:
        self.method = method
        self.closes = closes
        self.wants_continue = wants_continue
        # In which it is answered.
        self.task: asyncio.Task[None] | None = None
        self.more_body = True
        self.is_gone = self.is_started = self.is_complete = False
        self._line = line
        self._body: bytes | bytearray = b""
        self._has_news = False
        self._news: asyncio.Event | None = None
        self._on_gone: Callable[[], None] | None = None
        # Waits for what it announces.
        self._head = b""
        self._is_chunked = self._is_bodiless = False
        self._left = 0

    async def run(self, app: App, scope: Message) -> None:
        """Answer, whatever becomes of the application."""
        try:
            await app(scope, self.receive, self.send)
        except BaseException as error:
            log.exception("answer.failed", exc_info=error)
        finally:
            self._line.ended(self)
        if self.is_complete or self.is_gone:
            return
        if self.is_started:
            self._line.close()
            return
        length = b"%d" % len(_INTERNAL)
        self._begin(500, ((b"content-length", length), (b"connection", b"close")))
        self._go_on(_INTERNAL, more=False)

    def feed(self, data: bytes) -> int:
        """Take a piece of the body; the length of what waits to be received."""
        if not self._body:
            self._body = data
        elif isinstance(self._body, bytearray):
            self._body += data
        else:
            self._body = bytearray(self._body + data)
        self.tell()
        return len(self._body)

    def lose(self) -> None:
        """The client is gone."""
        self.is_gone = True
        self.tell()
        if self._on_gone is not None:
            self._on_gone()

    def listen(self, on_gone: Callable[[], None] | None) -> None:
        """What to call when the client leaves; it costs less than to ``receive`` until then."""
        self._on_gone = on_gone
        if on_gone is not None:
            self._line.read_on()
            if self.is_gone:
                self._line.loop.call_soon(on_gone)

    def tell(self) -> None:
        """There is something to receive."""
        self._has_news = True
        if self._news is not None:
            self._news.set()

    async def receive(self) -> Message:
        if self.wants_continue:
            self.wants_continue = False
            self._line.write(_CONTINUE)
        while not (self._has_news or self.is_gone or self.is_complete):
            self._line.read_on()
            if self._news is None:
                self._news = asyncio.Event()
            self._news.clear()
            await self._news.wait()
        self._has_news = False
        if self.is_gone or self.is_complete:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), b""
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        if self._line.is_full and not self.is_gone:
            await self._line.drain()
        if self.is_gone:
            return
        kind = message["type"]
        if kind == "http.response.body" and self.is_started and not self.is_complete:
            body, more = message.get("body", b""), message.get("more_body", False)
            if more and body and self._is_chunked and not self._head:
                # The next piece of a stream, of which there are many.
                self._line.write(b"%x\r\n%b\r\n" % (len(body), body))
            else:
                self._go_on(body, more=more)
        elif kind == "http.response.start" and not self.is_started:
            self._begin(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"'{kind}' has no place here in an answer.")

    def _begin(self, status: int, headers: Iterable[Header]) -> None:
        self._is_bodiless = is_bodiless = self.method == "HEAD"
        self._head, length, self.closes = answer_head(
            status, headers, self._line.common, is_bodiless=is_bodiless, closes=self.closes
        )
        self.is_started = True
        self.wants_continue = False
        if length is None:
            self._is_chunked = True
            # Whoever streams may have nothing to say for long.
            self._line.loop.call_soon(self._write, b"")
        else:
            self._left = length

    def _go_on(self, body: bytes, *, more: bool) -> None:
        if self._is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._write(chunk if more else chunk + _LAST_CHUNK)
        elif self._is_bodiless:
            self._write(b"")
        else:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("The body of the answer has not the length that its head says.")
            self._write(body)
        if not more:
            self.is_complete = True
            self.tell()
            if self.closes:
                self._line.close()
            self._line.answered()

    def _write(self, data: bytes) -> None:
        if self._head:
            data = self._head + data
            self._head = b""
        if data:
            self._line.write(data)
