"""A real HTTP server on 127.0.0.1 that answers, byte by byte, what a test tells it to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

import msgspec
import trustme

from tests.fixtures.patience import PATIENCE_S

# Made anew for every run: a key in the repository would be a secret that is none.
AUTHORITY = trustme.CA()


class Act(Enum):
    """What a script may do apart from sending bytes."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"
    FLOOD = "flood"


@dataclass(frozen=True)
class Pause:
    seconds: float


# An event is waited for.
Step = bytes | Act | Pause | asyncio.Event
Script = Sequence[Step]


@dataclass
class SeenRequest:
    """One request as it came; ``connection`` numbers the sockets from 0."""

    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> dict[str, object]:
        return msgspec.json.decode(self.body, type=dict[str, object])

    @property
    def wants_stream(self) -> bool:
        """Some providers are told so in the body, others by the path."""
        return "stream" in self.target.casefold() or self.json.get("stream") is True


class Upstream:
    """Plays ``scripts`` in order, one per request, and then ``default`` for ever, or ``streamed``,
    if that is set, for requests that ask for a stream. Where ``choose`` is set, it has the say.

    ``dribble`` sends every byte by itself. ``arrived`` is set by the first request, ``all_gone``
    while no socket is open. A script that ends keeps the connection open.
    """

    def __init__(self) -> None:
        self.default: Script = [json_answer(b"{}")]
        self.streamed: Script | None = None
        self.choose: Callable[[SeenRequest], Script] | None = None
        self.scripts: list[Script] = []
        self.requests: list[SeenRequest] = []
        self.dribble = False
        self.connections = 0
        self.sent_bytes = 0
        self.origin = ""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.all_gone = asyncio.Event()
        self.all_gone.set()
        self.arrived = asyncio.Event()

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def play(self, *steps: Step) -> None:
        """The script of the next request."""
        self.scripts.append(steps)

    async def start(self, *, tls: bool = False) -> None:
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            AUTHORITY.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        port = self._server.sockets[0].getsockname()[1]
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        async with asyncio.timeout(PATIENCE_S):
            await self.all_gone.wait()

    async def drop_connections(self) -> None:
        """Close every socket as a server does whose keep-alive time is over."""
        for writer in tuple(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.all_gone.clear()
        number = self.connections
        self.connections += 1
        try:
            while await self._answer(reader, writer, number):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            if not self._writers:
                self.all_gone.set()
            writer.transport.abort()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        seen = SeenRequest(head[0].split(" ")[1], headers, body, number)
        self.requests.append(seen)
        self.arrived.set()
        script = self._script_for(seen)
        gone = asyncio.create_task(self._watch(reader, seen))
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif not await self._do(step, writer, seen):
                    return False
        except OSError:
            seen.disconnected.set()
            raise
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        return not seen.disconnected.is_set()

    def _script_for(self, seen: SeenRequest) -> Script:
        if self.choose is not None:
            return self.choose(seen)
        if self.scripts:
            return self.scripts.pop(0)
        return self.streamed if self.streamed is not None and seen.wants_stream else self.default

    async def _watch(self, reader: asyncio.StreamReader, seen: SeenRequest) -> None:
        # A look that takes nothing: bytes of a next request stay in the reader's buffer.
        while not reader.at_eof() and reader.exception() is None:
            await asyncio.sleep(0.005)
        seen.disconnected.set()

    async def _do(
        self, step: bytes | Act | Pause, writer: asyncio.StreamWriter, seen: SeenRequest
    ) -> bool:
        match step:
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Act.CLOSE:
                writer.close()
                return False
            case Act.RESET:
                writer.transport.abort()
                return False
            case Act.HANG:
                await seen.disconnected.wait()
                return False
            case Act.FLOOD:
                while not seen.disconnected.is_set():
                    await self._send(b"400\r\n" + b"x" * 1024 + b"\r\n", writer)
                return False
            case bytes():
                await self._send(step, writer)
        return True

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        pieces = [data[i : i + 1] for i in range(len(data))] if self.dribble else [data]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            self.sent_bytes += len(piece)
            if self.dribble:
                await asyncio.sleep(0)


@asynccontextmanager
async def running_upstream(*, tls: bool = False) -> AsyncIterator[Upstream]:
    upstream = Upstream()
    await upstream.start(tls=tls)
    try:
        yield upstream
    finally:
        await upstream.stop()


def answer(
    body: bytes,
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Sequence[str] = (),
) -> bytes:
    """A whole answer with a content-length."""
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"content-type: {content_type}",
        f"content-length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def json_answer(body: bytes, *, status: int = 200, headers: Sequence[str] = ()) -> bytes:
    return answer(body, status=status, headers=headers)


def stream_head(content_type: str = "text/event-stream") -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nx-request-id: req-up\r\n"
        "transfer-encoding: chunked\r\n\r\n"
    ).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
