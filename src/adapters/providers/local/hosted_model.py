"""One model of the provider: loading, ready or failed, and who may use it."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from adapters.providers.local.admission import Admission
from adapters.providers.local.engine import Engine
from adapters.providers.local.workers import Workers
from domain.inference.errors import ModelLoadingError, ProviderFailedError
from domain.shared.errors import StoaError

EngineT = TypeVar("EngineT", bound=Engine)
RETRY_AFTER_S = 5.0


class ModelState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """``reason`` says why, where the model failed."""

    state: ModelState
    reason: str | None = None


class HostedModel(Generic[EngineT]):
    """An engine that is loaded in the background, once."""

    def __init__(
        self,
        name: str,
        load: Callable[[threading.Event], EngineT],
        *,
        admission: Admission,
        workers: Workers,
        load_timeout_s: float,
    ) -> None:
        self.admission = admission
        self._name = name
        self._load = load
        self._workers = workers
        self._load_timeout_s = load_timeout_s
        self._engines: list[EngineT] = []
        self._status = ModelStatus(ModelState.LOADING)
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def status(self) -> ModelStatus:
        return self._status

    def start(self) -> None:
        """Begin to load; returns at once."""
        self._task = asyncio.create_task(self._loaded())

    async def engine(self) -> EngineT:
        """The engine, when it is there; raises ``ModelLoadingError`` after a bounded wait and
        ``ProviderFailedError`` with the reason when loading failed."""
        if self._status.state is ModelState.LOADING:
            try:
                async with asyncio.timeout(self._load_timeout_s):
                    await self._settled.wait()
            except TimeoutError:
                raise ModelLoadingError(
                    f"The model '{self._name}' is still loading. Please try again shortly.",
                    retry_after=RETRY_AFTER_S,
                ) from None
        if not self._engines:
            raise ProviderFailedError(
                f"The model '{self._name}' is not available: {self._status.reason}"
            )
        return self._engines[0]

    async def stop(self, timeout_s: float) -> None:
        """Give the memory back; a load that cannot be interrupted is left to end by itself."""
        self._status = ModelStatus(ModelState.STOPPED, "the server is stopping.")
        self._settled.set()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=timeout_s)
        # Freeing an engine waits for its threads, which must not hold up the event loop.
        while self._engines:
            await asyncio.to_thread(self._engines.pop().close)

    async def _loaded(self) -> None:
        try:
            engine = await self._workers.call(self._load, name=f"load-{self._name}")
        except StoaError as error:
            status = ModelStatus(ModelState.FAILED, error.message)
        except Exception as error:  # noqa: BLE001 (kept as the reason, and raised by each call)
            status = ModelStatus(ModelState.FAILED, f"{type(error).__name__}: {error}")
        else:
            self._engines.append(engine)
            status = ModelStatus(ModelState.READY)
        if self._status.state is ModelState.LOADING:
            self._status = status
        self._settled.set()
