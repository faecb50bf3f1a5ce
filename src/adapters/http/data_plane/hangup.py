import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from litestar.types import Receive


class Hangup:
    """Cancels the task that entered it as soon as the client closes its connection.

    Leave it before the response is complete: servers report a finished response as a disconnect.
    ``gone`` tells a hang-up from a cancellation that came from elsewhere.

    It listens without a task of its own, whose making and cancelling would cost every call more
    than all that it does here: the callbacks of what the server waits for drive it.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._listening: Coroutine[Any, Any, Any] | None = None
        self._caller: asyncio.Task[Any] | None = None
        self.gone = False

    async def __aenter__(self) -> Self:
        self._caller = asyncio.current_task()
        if self._caller is None:
            raise RuntimeError("Hangup needs a task to cancel.")
        self._listening = _until_gone(self._receive)
        self._go_on()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
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
        if self._listening is not None and self._caller is not None:
            self.gone = True
            self._caller.cancel()


async def _until_gone(receive: Receive) -> None:
    gone = False
    while not gone:
        gone = (await receive())["type"] == "http.disconnect"
