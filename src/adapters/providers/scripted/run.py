import asyncio

from domain.inference.errors import ProviderUnreachableError


class Run:
    """One call in flight, which can be waited in and aborted from outside."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._aborted = asyncio.Event()

    async def sleep(self, seconds: float | None) -> None:
        """Raises ``ProviderUnreachableError`` when the run is aborted; ``None`` waits for that."""
        if seconds != 0 or self._aborted.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._aborted.wait()
            except TimeoutError:
                return
            raise ProviderUnreachableError(f"The provider '{self._provider}' was stopped.")

    def abort(self) -> None:
        self._aborted.set()
