"""Several server processes behind one socket, and the parent that looks after them.

The parent owns the database server and prepares the database; its workers serve. All of them take
connections from the same socket, and share their counts through files
(``adapters.http.metrics.workers``).
"""

import asyncio
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.synchronize import Event

import msgspec
import structlog
from dishka import Scope

from adapters.catalog.catalog_file import load_catalog
from adapters.catalog.definitions import LoadedCatalog
from adapters.http.metrics.workers import forget_worker, shared_metrics
from application.identity.found_first_team import FoundFirstTeam
from application.identity.issue_key import IssuedKey
from domain.operations.errors import WorkerFailedError
from entrypoints.container import make_container
from entrypoints.database import DatabaseUrl, prepare_database
from entrypoints.logging import configure_logging
from entrypoints.process import run_process
from entrypoints.settings import Settings
from entrypoints.settings_loading import LoadedSettings

log = structlog.get_logger()

LOOK_EVERY_S = 0.1


@dataclass(slots=True, kw_only=True)
class Worker:
    """A process and the sign that it gives when it serves."""

    process: SpawnProcess
    serving: Event


@dataclass(slots=True, kw_only=True)
class Crew:
    """Keeps the wanted number of workers alive. A worker that dies while it serves is replaced; one
    that cannot even come up ends the whole."""

    settings: Settings
    variables: Mapping[str, str]
    listener: socket.socket
    context: SpawnContext = field(default_factory=lambda: multiprocessing.get_context("spawn"))
    workers: list[Worker] = field(default_factory=list)

    def hire(self) -> None:
        serving = self.context.Event()
        process = self.context.Process(
            target=work, args=(self.settings, dict(self.variables), self.listener, serving)
        )
        process.start()
        self.workers.append(Worker(process=process, serving=serving))

    @property
    def is_serving(self) -> bool:
        return all(worker.serving.is_set() for worker in self.workers)

    def replace_dead(self) -> None:
        """Raises ``WorkerFailedError`` for a worker that never served."""
        for worker in [w for w in self.workers if not w.process.is_alive()]:
            self.workers.remove(worker)
            forget_worker(worker.process.pid or 0)
            if not worker.serving.is_set():
                raise WorkerFailedError(worker.process.exitcode)
            log.error("worker.died", pid=worker.process.pid, exit_code=worker.process.exitcode)
            self.hire()

    async def dismiss(self) -> None:
        """Ask all to finish, and wait until they have."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            await asyncio.to_thread(worker.process.join)


def serve_with_workers(
    loaded: LoadedSettings,
    catalog: LoadedCatalog,
    listener: socket.socket,
    announce: Callable[[IssuedKey | None], None],
) -> None:
    """Run until told to stop, or until a worker cannot come up."""
    with shared_metrics():
        asyncio.run(_lead(loaded, catalog, listener, announce))


async def _lead(
    loaded: LoadedSettings,
    catalog: LoadedCatalog,
    listener: socket.socket,
    announce: Callable[[IssuedKey | None], None],
) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    container = make_container(loaded.settings, catalog)
    try:
        url = await container.get(DatabaseUrl)
        await prepare_database(url, wait_s=loaded.settings.database_wait_seconds)
        async with container(scope=Scope.REQUEST) as request:
            found_first_team = await request.get(FoundFirstTeam)
            issued = await found_first_team()
        crew = Crew(
            settings=msgspec.structs.replace(loaded.settings, database_url=url),
            variables=loaded.variables,
            listener=listener,
        )
        try:
            for _ in range(loaded.settings.workers):
                crew.hire()
            await _watch(crew, told_to_stop, lambda: announce(issued))
        finally:
            await crew.dismiss()
    finally:
        await container.close()


async def _watch(crew: Crew, told_to_stop: asyncio.Event, announce: Callable[[], None]) -> None:
    announced = False
    while not told_to_stop.is_set():
        crew.replace_dead()
        if not announced and crew.is_serving:
            announced = True
            announce()
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await told_to_stop.wait()
        except TimeoutError:
            continue


def work(
    settings: Settings, variables: dict[str, str], listener: socket.socket, serving: Event
) -> None:
    """The main function of a worker."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    configure_logging(settings)
    catalog = load_catalog(settings.config, variables)

    def on_ready(_: IssuedKey | None) -> None:
        serving.set()

    run_process(settings, catalog, listener, on_ready=on_ready, prepares_database=False)


def _end_with_parent() -> None:
    """A parent that was killed cannot tell its workers to stop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
