import asyncio
from collections.abc import Awaitable, Callable

import structlog

from application.operations.records.error_reporter import Circumstances, ErrorReporter
from application.shared.ports import Errands
from domain.shared.errors import FunctionalError, StoaError, UnavailableError

log = structlog.get_logger()

MOST_WAITING = 200
AT_ONCE = 4
FAREWELL_S = 5.0


class BackgroundErrands(Errands):
    """A few at a time, each in a task with the context of its request, so that its log lines bear
    the request's correlation id."""

    def __init__(
        self,
        *,
        reporter: ErrorReporter | None = None,
        most: int = MOST_WAITING,
        at_once: int = AT_ONCE,
        farewell_s: float = FAREWELL_S,
    ) -> None:
        """``reporter`` gets the technical errors. ``most`` bounds those that run or wait.
        ``farewell_s`` is how long the end of the process waits for them."""
        self._reporter = reporter
        self._most = most
        self._turns = asyncio.Semaphore(at_once)
        self._farewell_s = farewell_s
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, name: str, errand: Callable[[], Awaitable[None]]) -> None:
        if len(self._tasks) >= self._most:
            raise UnavailableError("Too much waits to be done.", retry_after=5)
        task = asyncio.create_task(self._run(name, errand), name=f"errand {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Wait for what has begun, and say what had to be left undone."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=self._farewell_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            log.error("errands.abandoned", count=len(left))

    async def _run(self, name: str, errand: Callable[[], Awaitable[None]]) -> None:
        async with self._turns:
            try:
                await errand()
            except FunctionalError as error:
                log.warning("errand.refused", errand=name, code=error.code, reason=error.message)
            except StoaError as error:
                # Without a stack: its message says all.
                log.error("errand.failed", errand=name, code=error.code, reason=error.message)  # noqa: TRY400
                self._report(name, error)
            except Exception as error:
                log.exception("errand.failed", errand=name)
                self._report(name, error)

    def _report(self, name: str, error: Exception) -> None:
        if self._reporter is not None:
            self._reporter.report(error, Circumstances(route=f"errand {name}"))
