"""Who may use a model's slots, first come first served."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.inference.errors import ProviderBusyError

RETRY_AFTER_S = 2.0


class Admission:
    """So many at once, so many waiting, and whoever comes then is refused."""

    def __init__(self, model: str, *, slots: int, queue_size: int) -> None:
        self._model = model
        self._slots = asyncio.Semaphore(slots)
        self._queue_size = queue_size
        self._waiting = 0

    @property
    def waiting(self) -> int:
        return self._waiting

    def check(self) -> None:
        """Raise ``ProviderBusyError`` when the queue is full."""
        if self._slots.locked() and self._waiting >= self._queue_size:
            raise ProviderBusyError(
                f"The model '{self._model}' is busy and its queue of {self._queue_size} is full. "
                "Please try again shortly.",
                retry_after=RETRY_AFTER_S,
            )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it; a cancelled wait leaves the queue."""
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()
