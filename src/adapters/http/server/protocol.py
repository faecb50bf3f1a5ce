"""The server's end of a connection, made safe to face strangers without a proxy in front."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from uvicorn import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from adapters.http.data_plane.hangup import HANGUP
from adapters.http.errors import RequestTimedOutError
from adapters.http.problems import report
from adapters.http.server.cycle import Cycle, Line
from adapters.http.server.refusal import refusal
from adapters.http.server.request_reader import Reading, RequestReader, Taker
from application.shared.ports import IdGenerator
from domain.shared.errors import FunctionalError, StoaError

# Requests that a client may send behind the one in progress before it is read no further.
MAX_WAITING = 16
_ASGI = {"version": "3.0", "spec_version": "2.3"}


class ServerProtocol(asyncio.Protocol, Line, Taker):
    """HTTP/1.1 for uvicorn's server, in the place of the protocol that comes with it:

    * a request and its answer cost as little as can be;
    * a head has a limit of size and of time, and a body may not pause for ever;
    * bytes that are no HTTP are answered in the words of the API, with a request id;
    * the request in progress learns of the end of the connection even if the client has sent
      another one behind it;
    * an offer to speak HTTP/2 is ignored, as HTTP allows, instead of losing the body (Java's
      standard client makes it with every request).
    """

    head_s = 30.0
    body_pause_s = 60.0

    def __init__(
        self,
        ids: IdGenerator,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.is_full = False
        self.write: Callable[[bytes], None]
        self.close: Callable[[], None]
        self._new_id = ids.new
        self._app = config.loaded_app
        self._keep_alive_s = config.timeout_keep_alive
        self._server = server_state
        self._app_state = app_state
        self._transport: asyncio.Transport
        self._reader: RequestReader
        self._common_headers: list[tuple[bytes, bytes]] = []
        self._common = b""
        self._is_paused = False
        self._drained = asyncio.Event()
        # The request that is being answered, and those that came behind it.
        self._running: Cycle | None = None
        self._waiting: deque[tuple[Cycle, dict[str, Any]]] = deque()
        # What is said when all that came whole is answered, because what came behind it was broken;
        # nothing is heard any more.
        self._parting = b""
        # Since when the client is waited for. One timer does for all that it may be too slow with:
        # it may ring too early, and is then set anew, but never too late.
        self._since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # The event loop calls these.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.write, self.close = transport.write, transport.close
        self._server.connections.add(self)  # type: ignore[arg-type]  # uvicorn knows its own only
        connection = {
            "type": "http",
            "asgi": _ASGI,
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "scheme": "https" if is_ssl(transport) else "http",
            "root_path": "",
        }
        self._reader = RequestReader(self, connection)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._stop_watching()
        if self._running is not None:
            self._running.lose()
        self._reader.end()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._parting:
            return
        reader = self._reader
        begun = reader.begun
        try:
            reader.read(data)
        except FunctionalError as error:
            self._refuse(error)
            return
        if reader.reading is Reading.NOTHING or self._transport.is_closing():
            return
        if reader.reading is Reading.BODY or reader.begun != begun:
            self._since = self.loop.time()
        self._watch()

    def pause_writing(self) -> None:
        self.is_full = True
        self._drained.clear()

    def resume_writing(self) -> None:
        self.is_full = False
        self._drained.set()

    # The server calls this.

    def shutdown(self) -> None:
        """No more requests after those that are there already."""
        if self._running is None:
            self.close()
        else:
            last = self._waiting[-1][0] if self._waiting else self._running
            last.closes = True

    # The reader of requests and their cycles call these.

    @property
    def common(self) -> bytes:
        # The server makes them anew when the date has changed.
        if self._server.default_headers is not self._common_headers:
            self._common_headers = self._server.default_headers
            self._common = b"".join(b"%b: %b\r\n" % header for header in self._common_headers)
        return self._common

    def take(self, scope: dict[str, Any], *, closes: bool, wants_continue: bool) -> Cycle:
        cycle = Cycle(self, scope["method"], closes=closes, wants_continue=wants_continue)
        scope["state"] = self._app_state.copy()
        scope["extensions"] = {HANGUP: cycle.listen}
        if self._running is None:
            self._start(cycle, scope)
        else:
            self._waiting.append((cycle, scope))
            if len(self._waiting) > MAX_WAITING:
                self.pause_reading()
        return cycle

    def pause_reading(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def read_on(self) -> None:
        if self._is_paused and len(self._waiting) <= MAX_WAITING:
            self._is_paused = False
            self._transport.resume_reading()

    async def drain(self) -> None:
        await self._drained.wait()

    def answered(self) -> None:
        self._server.total_requests += 1
        self._running = None
        if self._transport.is_closing():
            return
        if self._waiting:
            self._start(*self._waiting.popleft())
        elif self._parting:
            self.write(self._parting)
            self.close()
        elif self._reader.reading is Reading.NOTHING:
            self._since = self.loop.time()
            self._watch()
        self.read_on()

    def ended(self, cycle: Cycle) -> None:
        task, cycle.task = cycle.task, None
        if task is not None:
            self._server.tasks.discard(task)

    def _start(self, cycle: Cycle, scope: dict[str, Any]) -> None:
        self._running = cycle
        cycle.task = self.loop.create_task(cycle.run(self._app, scope))
        self._server.tasks.add(cycle.task)

    def _deadline(self) -> float:
        match self._reader.reading:
            case Reading.HEAD:
                return self._since + self.head_s
            case Reading.BODY:
                return self._since + self.body_pause_s
        if self._running is None:
            return self._since + self._keep_alive_s
        # It is we who let the client wait.
        return self.loop.time() + self._keep_alive_s

    def _watch(self) -> None:
        deadline = self._deadline()
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self.loop.call_at(deadline, self._look)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._is_paused:
            # It is we who do not read.
            self._since = self.loop.time()
        if self.loop.time() < self._deadline():
            self._watch()
        elif not self._reader.begun or self._reader.reading is Reading.NOTHING:
            # There is nothing to answer.
            self.close()
        else:
            self._refuse(RequestTimedOutError(self._reader.reading.value))

    def _refuse(self, error: StoaError) -> None:
        """What came whole before is answered first, so that nobody's answer is that of another."""
        self._stop_watching()
        report(error)
        broken, said = self._reader.unfinished, refusal(error, self._reader.url, self._new_id())
        if broken is None or broken is not self._running:
            if self._waiting and self._waiting[-1][0] is broken:
                self._waiting.pop()
            if self._running is not None:
                self._parting = said
                return
        if broken is None or not broken.is_started:
            self.write(said)
        self.close()
