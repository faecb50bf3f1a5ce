import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Deadlines:
    """Futures that all may wait equally long: one timer does for any number of them, where a
    timeout of its own costs each several microseconds."""

    def __init__(self, timeout_s: float, expired: Callable[[], Exception]) -> None:
        """``expired`` makes what those get whose time is over."""
        self._timeout_s = timeout_s
        self._expired = expired
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def future(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.watch(future)
        return future

    def watch(self, future: asyncio.Future[Any]) -> None:
        """It has from now on as long as all others."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting
        while waiting and waiting[0][1].done():
            waiting.popleft()
        waiting.append((loop.time() + self._timeout_s, future))
        if self._timer is None:
            self._timer = loop.call_later(self._timeout_s, self._ring)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        waiting = self._waiting
        while waiting and (waiting[0][1].done() or waiting[0][0] <= now):
            _, future = waiting.popleft()
            if not future.done():
                future.set_exception(self._expired())
        self._timer = loop.call_at(waiting[0][0], self._ring) if waiting else None
