"""A generation as the event loop sees it: admitted, run in a thread, read as it goes, aborted."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from adapters.providers.local.admission import Admission
from adapters.providers.local.engine import ChatEngine, GenerationCall
from adapters.providers.local.workers import Workers, post
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import StoaError

# How long closing waits for the model to notice; the slot is held until it really has.
CLOSE_WAIT_S = 1.0

# Which of the calls, and llama.cpp's chunk.
NumberedChunk = tuple[int, dict[str, Any]]


class Generation:
    """The calls of one request, run one after another in one slot."""

    def __init__(
        self,
        calls: Sequence[GenerationCall],
        *,
        engine: ChatEngine,
        admission: Admission,
        workers: Workers,
    ) -> None:
        self._calls = calls
        self._engine = engine
        self._admission = admission
        self._workers = workers
        self._chunks: asyncio.Queue[NumberedChunk | None] = asyncio.Queue()
        self._accepted = asyncio.Event()
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Join the queue; raises ``ProviderBusyError`` when it is full."""
        self._admission.check()
        self._task = asyncio.create_task(self._run())

    async def accepted(self, timeout_s: float) -> None:
        """Return when the model has taken the request, or after the timeout; raises what the
        model had against it."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._accepted.wait()
        except TimeoutError:
            return
        if self._error is not None and self._chunks.qsize() <= 1:
            raise self._failure(self._error)

    async def chunks(self) -> AsyncIterator[NumberedChunk]:
        """Everything that llama.cpp says, once; raises the error that ended it."""
        while (chunk := await self._chunks.get()) is not None:
            yield chunk
        if self._error is not None:
            raise self._failure(self._error)

    async def aclose(self) -> None:
        """Leave the queue, or stop the model; idempotent."""
        if self._task is None or self._task.done():
            return
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=CLOSE_WAIT_S)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with self._admission.turn():
                await self._workers.call(partial(self._work, loop), name="generation")
        except asyncio.CancelledError:
            self._error = ProviderFailedError("The generation was stopped.")
            raise
        except Exception as error:  # noqa: BLE001 (raised to whoever reads the chunks)
            self._error = error
        finally:
            self._chunks.put_nowait(None)
            self._accepted.set()

    def _work(self, loop: asyncio.AbstractEventLoop, abort: threading.Event) -> None:
        for index, call in enumerate(self._calls):

            def take(chunk: dict[str, Any], index: int = index) -> bool:
                return abort.is_set() or not post(loop, self._take, (index, chunk))

            self._engine.generate(call, take)
            if abort.is_set():
                raise ProviderFailedError("The generation was stopped.")

    def _take(self, chunk: NumberedChunk) -> None:
        self._chunks.put_nowait(chunk)
        self._accepted.set()

    @staticmethod
    def _failure(error: Exception) -> StoaError:
        if isinstance(error, StoaError):
            return error
        failure = ProviderFailedError("The local model failed.")
        failure.__cause__ = error
        return failure
