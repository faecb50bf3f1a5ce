"""Hearing of clients that leave while they are answered."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from litestar.types import Receive, Scope

# Where a server says how to be told that the client is gone: a function that takes what is to be
# called then, or ``None`` to be told no more.
HANGUP = "stoa.hangup"
Listen = Callable[[Callable[[], None] | None], None]


class Hangup:
    """Cancels the task that entered it as soon as the client closes its connection.

    Leave it before the response is complete: servers report a finished response as a disconnect.
    ``gone`` tells a hang-up from a cancellation that came from elsewhere.

    Our server calls when it happens. From others it is heard by ``receive``, and without a task for
    that, whose making and cancelling would cost every call more than all that it does here: the
    callbacks of what the server waits for drive it.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        extensions: dict[str, Any] = scope.get("extensions") or {}
        self._listen: Listen | None = extensions.get(HANGUP)
        self._receive = receive
        self._listening: Coroutine[Any, Any, Any] | None = None
        self._caller: asyncio.Task[Any] | None = None
        self.gone = False

    async def __aenter__(self) -> Self:
        self._caller = asyncio.current_task()
        if self._caller is None:
            raise RuntimeError("Hangup needs a task to cancel.")
        if self._listen is not None:
            self._listen(self._hang_up)
            return self
        self._listening = _until_gone(self._receive)
        self._go_on()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._listen is not None:
            self._listen(None)
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()
        if not self.gone:
            return False
        caller = asyncio.current_task()
        if caller is not None:
            caller.uncancel()
        # Nobody is left to be told; only our own cancellation ends here.
        return exc_type is not None and issubclass(exc_type, asyncio.CancelledError)

    def _go_on(self, _: object = None) -> None:
        """Let the server's coroutine run up to its next wait."""
        if self._listening is None:
            return
        try:
            wait = self._listening.send(None)
        except StopIteration:
            # Not at once: this may be the very task that is to be cancelled.
            asyncio.get_running_loop().call_soon(self._hang_up)
            return
        if wait is None:
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            # What a task does with a future that it is handed.
            wait._asyncio_future_blocking = False  # noqa: SLF001
            wait.add_done_callback(self._go_on)

    def _hang_up(self) -> None:
        is_listened_to = self._listening is not None or self._listen is not None
        if is_listened_to and self._caller is not None:
            self.gone = True
            self._caller.cancel()


async def _until_gone(receive: Receive) -> None:
    gone = False
    while not gone:
        gone = (await receive())["type"] == "http.disconnect"
