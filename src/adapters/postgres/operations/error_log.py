import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

import structlog

from application.operations.records.ports import ErrorLog
from domain.operations.technical_error import ErrorOccurrence
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

MAX_QUEUED = 1000
MAX_BATCH = 100
# Errors seldom come alone; those that come together are written together.
LINGER_S = 0.05
SHORTEST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 5.0

Write = Callable[[Sequence[ErrorOccurrence]], Awaitable[None]]


class BufferedErrorLog(ErrorLog):
    """Keeps what is recorded until it can be written: from before the database is up until the
    process ends. What cannot be stored at all is logged and let go."""

    def __init__(self, max_queued: int = MAX_QUEUED) -> None:
        self._max_queued = max_queued
        self._queue: deque[ErrorOccurrence] = deque()
        self._something = asyncio.Event()
        self._nothing = asyncio.Event()
        self._nothing.set()
        self._writing: asyncio.Task[None] | None = None
        self.dropped = 0

    def record(self, occurrence: ErrorOccurrence) -> None:
        if len(self._queue) >= self._max_queued:
            self._drop()
            return
        self._queue.append(occurrence)
        self._nothing.clear()
        self._something.set()

    def start(self, write: Write) -> None:
        """Begin to write. ``write`` gets every batch until it has taken it: as long as it raises
        ``UnavailableError`` the batch waits."""
        self._writing = asyncio.create_task(self._write_all(write))

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Write what waits, for so long at most."""
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            await asyncio.wait_for(self._nothing.wait(), timeout_s)
        except TimeoutError:
            log.error("errors.lost", count=len(self._queue))  # noqa: TRY400 - it says all there is
        writing.cancel()
        await asyncio.wait([writing])

    async def _write_all(self, write: Write) -> None:
        backoff = SHORTEST_BACKOFF_S
        while True:
            await self._something.wait()
            await asyncio.sleep(LINGER_S)
            try:
                await self._write_next(write)
            except UnavailableError:
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_S)
                continue
            backoff = SHORTEST_BACKOFF_S

    async def _write_next(self, write: Write) -> None:
        batch = list(islice(self._queue, MAX_BATCH))
        try:
            await write(batch)
        except UnavailableError:
            raise
        except Exception:  # noqa: BLE001 - one by one it shows which of them it is
            await self._write_singly(write, batch)
            return
        self._forget(len(batch))

    async def _write_singly(self, write: Write, batch: Sequence[ErrorOccurrence]) -> None:
        for occurrence in batch:
            try:
                await write([occurrence])
            except UnavailableError:
                raise
            except Exception:
                log.exception("errors.refused", error_id=str(occurrence.id), code=occurrence.code)
            self._forget(1)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._queue.popleft()
        if not self._queue:
            self._something.clear()
            self._nothing.set()
            self._tell_of_drops()

    def _drop(self) -> None:
        if not self.dropped:
            log.warning("errors.dropping", queued=len(self._queue))
        self.dropped += 1

    def _tell_of_drops(self) -> None:
        if self.dropped:
            log.error("errors.dropped", count=self.dropped)
            self.dropped = 0
