import asyncio
from types import TracebackType
from typing import Self

from litestar.types import Receive


class Hangup:
    """Cancels the task that entered it as soon as the client closes its connection.

    Leave it before the response is complete: servers report a finished response as a disconnect.
    ``gone`` tells a hang-up from a cancellation that came from elsewhere.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.gone = False

    async def __aenter__(self) -> Self:
        caller = asyncio.current_task()
        if caller is None:
            raise RuntimeError("Hangup needs a task to cancel.")
        self._watcher = asyncio.create_task(self._watch(caller))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._watcher.cancel()
        if not self.gone:
            return False
        caller = asyncio.current_task()
        if caller is not None:
            caller.uncancel()
        # Nobody is left to be told; only our own cancellation ends here.
        return exc_type is not None and issubclass(exc_type, asyncio.CancelledError)

    async def _watch(self, caller: "asyncio.Task[object]") -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                caller.cancel()
                return
