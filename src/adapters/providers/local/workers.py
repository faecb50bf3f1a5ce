"""Threads in which models work, and their orderly end.

An interpreter that exits while llama.cpp calls back into Python is aborted by the C++ runtime.
So the threads are daemons (the interpreter does not wait minutes for an answer that nobody will
read), and an exit hook tells each to stop and waits for it.
"""

import asyncio
import atexit
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# What cannot be interrupted, such as loading a large file, gets this long at exit.
EXIT_WAIT_S = 30.0


class Workers:
    """Starts one thread per job; every job polls the flag that it was started with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[threading.Thread, threading.Event] = {}
        self._stopped = False
        atexit.register(self._at_exit)

    async def call(self, job: Callable[[threading.Event], T], *, name: str) -> T:
        """What the job returns or raises. A cancelled call sets the job's flag and is over when
        the job is, so that whoever holds something for the job can let go of it then."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        abort = threading.Event()

        def work() -> None:
            try:
                result = job(abort)
            except BaseException as error:  # noqa: BLE001 (handed to whoever waits for the job)
                post(loop, _fail, done, error)
            else:
                post(loop, _finish, done, result)

        self._start(work, abort, name=name)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            abort.set()
            await asyncio.wait({done})
            if not done.cancelled():
                done.exception()
            raise

    def _start(self, job: Callable[[], None], abort: threading.Event, *, name: str) -> None:
        thread = threading.Thread(target=self._run, args=(job,), name=name, daemon=True)
        with self._lock:
            self._running[thread] = abort
            if self._stopped:
                abort.set()
        thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Tell all jobs to end, later ones too; true when they have. May be called again to go on
        waiting."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            self._stopped = True
            running = dict(self._running)
        for abort in running.values():
            abort.set()
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        ended = not any(thread.is_alive() for thread in running)
        if ended:
            atexit.unregister(self._at_exit)
        return ended

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        finally:
            with self._lock:
                self._running.pop(threading.current_thread(), None)

    def _at_exit(self) -> None:
        self.stop(EXIT_WAIT_S)


def post(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object) -> bool:
    """Call in the loop's thread; false when the loop is closed, and with it everybody gone who
    could have listened."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        return False
    return True


def _finish(done: "asyncio.Future[T]", result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: "asyncio.Future[T]", error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
