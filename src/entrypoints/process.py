"""One process that serves HTTP until a signal comes."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from adapters.catalog.definitions import LoadedCatalog
from adapters.http.frame import Frame
from entrypoints.container import make_container
from entrypoints.di.doors import DoorsProvider
from entrypoints.settings import Settings
from entrypoints.web import OnReady, build_app

KEEP_ALIVE_S = 75
BACKLOG = 2048


def run_process(
    settings: Settings,
    catalog: LoadedCatalog,
    listener: socket.socket,
    *,
    on_ready: OnReady,
    prepares_database: bool,
) -> None:
    """Serve in this process until a signal comes, and raise what kept it from coming up."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(
            _serve(
                settings, catalog, listener, on_ready=on_ready, prepares_database=prepares_database
            )
        )


async def _serve(
    settings: Settings,
    catalog: LoadedCatalog,
    listener: socket.socket,
    *,
    on_ready: OnReady,
    prepares_database: bool,
) -> None:
    failures: list[Exception] = []
    server: HttpServer | None = None

    def on_failure(error: Exception) -> None:
        failures.append(error)
        if server is not None:
            server.should_exit = True

    app = await build_app(
        make_container(settings, catalog, DoorsProvider()),
        settings,
        on_ready=on_ready,
        on_failure=on_failure,
        prepares_database=prepares_database,
    )
    server = HttpServer(_http_config(app, settings))
    await server.serve(sockets=[listener])
    if failures:
        raise failures[0]


class HttpServer(uvicorn.Server):
    """uvicorn, except that a signal which was obeyed is not raised once more at the end: stopping
    when asked is success."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        wanted = (signal.SIGINT, signal.SIGTERM)
        previous = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # A second signal ends the waiting for running requests, never the writing of the ledger.
        if self.should_exit:
            self.config.timeout_graceful_shutdown = 0
            for task in self.server_state.tasks:
                task.get_loop().call_soon_threadsafe(task.cancel)
        self.should_exit = True


def _http_config(app: Frame, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(settings.shutdown_grace_seconds),
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - there is none for Windows

    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return new_event_loop
