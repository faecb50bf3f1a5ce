import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from application.inference.responses.ports import StoredResponses
from application.shared.ports import Errands
from domain.inference.stored_response import StoredResponse
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

ERRAND = "keeping a response"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepResponse:
    """Stores a response. An answer is never lost because it could not be stored: what goes wrong is
    put on record, and the answer says that it was not."""

    responses: StoredResponses
    errands: Errands
    patience_s: float

    async def __call__(self, response: StoredResponse) -> bool:
        """Whether it is stored. It is gone on with when the caller is cancelled."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def store() -> None:
            try:
                await self.responses.add(response)
            except BaseException:
                _tell(stored, is_stored=False)
                raise
            _tell(stored, is_stored=True)

        if not self._send(store, response):
            return False
        try:
            async with asyncio.timeout(self.patience_s):
                return await stored
        except TimeoutError:
            log.warning("response.not_stored_in_time", response=response.name)
            return False

    def soon(self, response: StoredResponse) -> None:
        """Store it when nobody waits for that any more. Never raises."""

        async def store() -> None:
            await self.responses.add(response)

        self._send(store, response)

    def _send(self, store: Callable[[], Awaitable[None]], response: StoredResponse) -> bool:
        try:
            self.errands.send(ERRAND, store)
        except UnavailableError as error:
            log.error("response.not_stored", response=response.name, reason=error.message)  # noqa: TRY400  # it says all
            return False
        return True


def _tell(stored: "asyncio.Future[bool]", *, is_stored: bool) -> None:
    if not stored.done():
        stored.set_result(is_stored)
