"""A wire between a client and a server of any protocol, which can be held up and cut anywhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.fixtures.patience import PATIENCE_S

_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(eq=False, kw_only=True)
class Lead:
    """One direction of a wire. ``carried`` is what has gone through. ``left`` is how many bytes may
    still pass before the wire is cut, ``None`` if it is not; it is held up from when it comes to
    the words ``hold_at``."""

    sink: asyncio.StreamWriter
    carried: int = 0
    left: int | None = None
    hold_at: bytes | None = None
    is_held_up: bool = False
    waiting: bytearray = field(default_factory=bytearray)

    def carry(self, data: bytes) -> bool:
        """Returns whether the wire is still whole."""
        if self.hold_at is not None and self.hold_at in data:
            self.is_held_up, self.hold_at = True, None
        if self.is_held_up:
            self.waiting += data
            return True
        if self.left is not None:
            data = data[: self.left]
            self.left -= len(data)
        self.carried += len(data)
        self.sink.write(data)
        return self.left != 0


@dataclass(eq=False, kw_only=True)
class Wire:
    """``first_words`` are what the client said first: they tell whose wire it is."""

    first_words: bytes
    to_server: Lead
    to_client: Lead
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        for lead in (self.to_server, self.to_client):
            lead.sink.transport.abort()

    def hang_up_on_client(self) -> None:
        """The server learns nothing of it."""
        self.to_client.sink.transport.abort()

    def let_through(self) -> None:
        """To the server, what was held up."""
        lead = self.to_server
        lead.is_held_up = False
        lead.carry(bytes(lead.waiting))
        lead.waiting.clear()
        if self.to_client.sink.transport.is_closing():
            lead.sink.close()


class Switchboard:
    """``on_wire`` is called for each new wire when the client has said its first words, which the
    server has not got yet."""

    def __init__(self, dial: Callable[[], Awaitable[_Ends]]) -> None:
        self._dial = dial
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.wires: list[Wire] = []
        self.on_wire: Callable[[Wire], None] | None = None
        self.port = 0

    def of(self, name: bytes) -> list[Wire]:
        """Those whose clients have called themselves so, the oldest first."""
        return [wire for wire in self.wires if name in wire.first_words]

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for wire in self.wires:
            wire.cut()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        first_words = await reader.read(1 << 16)
        server, to_server = await self._dial()
        wire = Wire(
            first_words=first_words,
            to_server=Lead(sink=to_server),
            to_client=Lead(sink=writer),
        )
        self.wires.append(wire)
        if self.on_wire is not None:
            self.on_wire(wire)
        wire.to_server.carry(first_words)
        try:
            await asyncio.gather(
                self._carry(wire, reader, wire.to_server), self._carry(wire, server, wire.to_client)
            )
        finally:
            wire.cut()
            wire.is_over.set()
            self._serving.discard(task)

    async def _carry(self, wire: Wire, source: asyncio.StreamReader, lead: Lead) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                if not lead.carry(data):
                    await lead.sink.drain()
                    break
        if not lead.is_held_up:
            lead.sink.close()


@asynccontextmanager
async def a_switchboard(dial: Callable[[], Awaitable[_Ends]]) -> AsyncIterator[Switchboard]:
    board = Switchboard(dial)
    await board.start()
    try:
        yield board
    finally:
        await board.stop()


@asynccontextmanager
async def a_wire_to_postgres(database_url: str) -> AsyncIterator[tuple[str, Switchboard]]:
    """A URL that leads to the database, and what it leads through."""
    parts = urlsplit(database_url)
    options = parse_qs(parts.query)
    directory = options.get("host", [""])[0]
    port = parts.port or int(options.get("port", ["5432"])[0])

    async def dial() -> _Ends:
        if directory:
            return await asyncio.open_unix_connection(Path(directory) / f".s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, port)

    login = parts.netloc.rpartition("@")[0]
    async with a_switchboard(dial) as board:
        yield f"postgresql://{login}@127.0.0.1:{board.port}{parts.path}?sslmode=disable", board
