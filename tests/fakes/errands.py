import asyncio
from collections.abc import Awaitable, Callable

from application.shared.ports import Errands
from domain.shared.errors import StoaError, UnavailableError


class WaitingErrands(Errands):
    """Does nothing before it is told to: ``waiting`` are the names of what was sent."""

    def __init__(self) -> None:
        self._errands: list[tuple[str, Callable[[], Awaitable[None]]]] = []

    @property
    def waiting(self) -> list[str]:
        return [name for name, _ in self._errands]

    def send(self, name: str, errand: Callable[[], Awaitable[None]]) -> None:
        self._errands.append((name, errand))

    async def run_all(self) -> None:
        errands, self._errands = self._errands, []
        for _, errand in errands:
            await errand()


class PromptErrands(Errands):
    """Begins at once; ``failures`` is what errands ended with. ``is_full`` takes no more."""

    def __init__(self) -> None:
        self.is_full = False
        self.failures: list[StoaError] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, name: str, errand: Callable[[], Awaitable[None]]) -> None:
        if self.is_full:
            raise UnavailableError("Too much waits.")
        task = asyncio.create_task(self._run(errand), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finished(self) -> None:
        await asyncio.gather(*self._tasks)

    async def _run(self, errand: Callable[[], Awaitable[None]]) -> None:
        try:
            await errand()
        except StoaError as error:
            self.failures.append(error)
