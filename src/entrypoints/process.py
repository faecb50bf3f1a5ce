"""One process that serves HTTP until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import structlog
import uvicorn

from adapters.catalog.definitions import LoadedCatalog
from adapters.http.events.open_streams import OpenStreams
from adapters.http.frame import Frame
from adapters.http.server.protocol import ServerProtocol
from application.identity.found_first_team import ShowKey
from application.shared.ports import IdGenerator
from entrypoints.container import make_container
from entrypoints.di.doors import DoorsProvider
from entrypoints.listening import BACKLOG
from entrypoints.runtime_environment import RuntimeEnvironment
from entrypoints.settings import Settings
from entrypoints.stopping import StopRequests, stop_requests
from entrypoints.web import OnReady, build_app

log = structlog.get_logger()

KEEP_ALIVE_S = 75
# How old the date in an answer may be.
TICK_S = 1.0


def run_process(
    settings: Settings,
    catalog: LoadedCatalog,
    environment: RuntimeEnvironment,
    listener: socket.socket,
    *,
    on_ready: OnReady,
    show_key: ShowKey | None = None,
    signals: Sequence[signal.Signals] | None = None,
) -> None:
    """Serve in this process until a signal comes, and raise what kept it from coming up. A worker
    has nobody to show a key to: its parent has prepared the database."""
    # Around the loop: a signal shall find it neither half made nor half closed.
    with (
        stop_requests(signals) as requests,
        asyncio.Runner(loop_factory=_loop_factory()) as runner,
    ):
        runner.run(
            _serve(
                settings,
                catalog,
                environment,
                listener,
                requests,
                on_ready=on_ready,
                show_key=show_key,
            )
        )


async def _serve(
    settings: Settings,
    catalog: LoadedCatalog,
    environment: RuntimeEnvironment,
    listener: socket.socket,
    requests: StopRequests,
    *,
    on_ready: OnReady,
    show_key: ShowKey | None,
) -> None:
    failures: list[Exception] = []
    server: HttpServer | None = None

    def on_failure(error: Exception) -> None:
        failures.append(error)
        if server is not None:
            server.end()

    container = make_container(settings, catalog, DoorsProvider(), environment=environment)
    app = await build_app(
        container,
        settings,
        on_ready=on_ready,
        on_failure=on_failure,
        show_key=show_key,
    )
    streams = await container.get(OpenStreams)
    config = _http_config(app, settings, await container.get(IdGenerator))
    server = HttpServer(config, on_stopping=streams.end)
    requests.on_request = server.ask_to_stop
    if requests.count:
        server.ask_to_stop()
    await server.serve(sockets=[listener])
    if failures:
        raise failures[0]


class HttpServer(uvicorn.Server):
    """uvicorn, except that others listen to the signals. ``on_stopping`` is called before running
    requests are waited for."""

    _was_asked = False

    def __init__(self, config: uvicorn.Config, *, on_stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stopping = on_stopping
        self._loop = asyncio.get_running_loop()
        self._ends = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def ask_to_stop(self) -> None:
        # A second time ends the waiting for running requests, never the writing of the ledger.
        if self.should_exit:
            self.config.timeout_graceful_shutdown = 0
            for task in self.server_state.tasks:
                task.get_loop().call_soon_threadsafe(task.cancel)
        self._was_asked = True
        self.end()

    def end(self) -> None:
        """Also from a signal's handler, which may come after all has ended."""
        self.should_exit = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ends.set)

    async def main_loop(self) -> None:
        # uvicorn's own wakes up ten times a second, which was the most that an idle server did.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ends.wait(), TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._was_asked:
            log.info(
                "server.stopping",
                requests=len(self.server_state.tasks),
                grace_seconds=self.config.timeout_graceful_shutdown,
            )
        self._on_stopping()
        await super().shutdown(sockets)


def _http_config(app: Frame, settings: Settings, ids: IdGenerator) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=partial(ServerProtocol, ids),  # type: ignore[arg-type]  # any factory will do
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to trust is for the setting to say, not for a variable of the framework.
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        # It goes to asyncio.wait_for(), which takes parts of a second.
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,  # type: ignore[arg-type]
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - there is none for Windows

    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return new_event_loop
