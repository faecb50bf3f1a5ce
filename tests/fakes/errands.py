from collections.abc import Awaitable, Callable

from application.shared.ports import Errands


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
