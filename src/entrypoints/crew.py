"""The worker processes that a parent keeps alive."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess

import structlog

from adapters.catalog.definitions import LoadedCatalog
from adapters.http.metrics.workers import forget_worker
from domain.operations.errors import WorkerFailedError
from domain.shared.errors import StoaError
from entrypoints.logging import configure_logging
from entrypoints.process import run_process
from entrypoints.runtime_environment import RuntimeEnvironment
from entrypoints.settings import Settings
from entrypoints.stopping import stop_signals
from entrypoints.welcome import Welcome

log = structlog.get_logger()

LOOK_EVERY_S = 0.1
# A worker that was replaced and does not come up is not tried again at once.
PAUSE_S = 1.0
# What a worker needs to write its ledger and to close, beyond the time that its requests have.
CLOSING_S = 15.0


@dataclass(slots=True, kw_only=True)
class Worker:
    """A process, and the pipe through which it says that it serves."""

    process: SpawnProcess
    signs: Connection
    _has_served: bool = False

    @property
    def serves(self) -> bool:
        """Whether it serves, or did before it died."""
        while not self._has_served and self.signs.poll():
            try:
                self.signs.recv_bytes()
            except EOFError:
                break
            self._has_served = True
        return self._has_served


@dataclass(slots=True, kw_only=True)
class Crew:
    """Keeps the wanted number of workers alive.

    One that cannot come up ends a start. Once all have served, whatever died is replaced, for as
    long as it takes: the others go on.
    """

    settings: Settings
    catalog: LoadedCatalog
    environment: RuntimeEnvironment
    listener: socket.socket
    context: SpawnContext = field(default_factory=lambda: multiprocessing.get_context("spawn"))
    workers: list[Worker] = field(default_factory=list)
    _is_complete: bool = False
    _not_before: float = 0.0

    def tend(self, now: float) -> None:
        """Replace who died. Raises ``WorkerFailedError`` for a start that fails."""
        for worker in [w for w in self.workers if not w.process.is_alive()]:
            self._lose(worker, now)
        while len(self.workers) < self.settings.workers and now >= self._not_before:
            self._hire()
        self._is_complete = self._is_complete or self.is_serving

    @property
    def is_serving(self) -> bool:
        return len(self.workers) == self.settings.workers and all(
            worker.serves for worker in self.workers
        )

    async def dismiss(self) -> None:
        """Ask all to finish, and wait until they have; one that never does is killed."""
        self.ask_to_stop()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.shutdown_grace_seconds + CLOSING_S
        while any(worker.process.is_alive() for worker in self.workers):
            if loop.time() > deadline:
                self._kill_rest()
            await asyncio.sleep(LOOK_EVERY_S / 2)

    def ask_to_stop(self) -> None:
        """A second time ends the waiting for running requests."""
        for worker in self.workers:
            worker.process.terminate()

    def _hire(self) -> None:
        signs, sign = self.context.Pipe(duplex=False)
        process = self.context.Process(
            target=work,
            args=(self.settings, self.catalog, self.environment, self.listener, sign),
        )
        # Ctrl-C goes to all processes of a terminal. It is the parent who passes it on, and until a
        # worker can say so for itself it inherits that it must not hear it.
        unheard = {number for number in stop_signals() if number != signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, unheard)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, unheard)
            sign.close()
        self.workers.append(Worker(process=process, signs=signs))

    def _lose(self, worker: Worker, now: float) -> None:
        self.workers.remove(worker)
        forget_worker(worker.process.pid or 0)
        has_served = worker.serves
        worker.signs.close()
        if not has_served:
            if not self._is_complete:
                raise WorkerFailedError(worker.process.exitcode)
            self._not_before = now + PAUSE_S
        log.error("worker.died", pid=worker.process.pid, exit_code=worker.process.exitcode)

    def _kill_rest(self) -> None:
        for worker in self.workers:
            if worker.process.is_alive():
                log.error("worker.killed", pid=worker.process.pid)
                worker.process.kill()


def work(
    settings: Settings,
    catalog: LoadedCatalog,
    environment: RuntimeEnvironment,
    listener: socket.socket,
    sign: Connection,
) -> None:
    """The main function of a worker. It gets the catalog rather than the file's name: one that is
    hired late shall serve what the others serve, whatever has become of the file."""
    unheard = {number for number in stop_signals() if number != signal.SIGTERM}
    for number in unheard:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, unheard)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    configure_logging(settings)

    def on_ready(_: Welcome) -> None:
        sign.send_bytes(b"serving")

    try:
        run_process(
            settings,
            catalog,
            environment,
            listener,
            on_ready=on_ready,
            signals=(signal.SIGTERM,),
        )
    except StoaError as error:
        log.error("worker.failed", reason=error.message)  # noqa: TRY400 - it says all there is
        sys.exit(1)


def _end_with_parent() -> None:
    """A parent that was killed cannot tell its workers to stop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
