from asyncio import get_running_loop
from collections.abc import AsyncIterator
from math import inf
from typing import NoReturn, Protocol

from adapters.providers.transport.endpoint import Endpoint
from adapters.providers.transport.transport import UpstreamResponse
from application.inference.ports import EVENTS, ProviderStream, StreamReport
from domain.inference.errors import ProviderTimedOutError, ProviderUnreachableError
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

_NOTHING_YET = Usage(counted=True)


class Scanner(Protocol):
    """Reads along in one stream. ``failure`` is set when the stream has failed, and is raised after
    what ``feed`` and ``end`` return; ``done`` when it is over. ``usage`` is ``None`` where nothing
    was reported."""

    done: bool
    failure: StoaError | None

    @property
    def finish_reason(self) -> str | None: ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def content_events(self) -> int: ...

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes:
        """The connection is over: what is still to be sent, or ``failure`` is set."""
        ...

    def cut(self) -> bytes:
        """The connection broke; as ``end``."""
        ...


class OpenAICompatibleStream(AsyncIterator[bytes], ProviderStream):
    """The provider's events on their way to the client.

    Comments keep the connection alive, but a provider that sends nothing else for as long as it
    may take to its first byte has timed out all the same.
    """

    def __init__(
        self,
        response: UpstreamResponse,
        scanner: Scanner,
        *,
        endpoint: Endpoint,
        prompt_tokens: int,
        request_id: str | None,
        content_type: str = EVENTS,
        sign_of_life: bytes = b"data:",
    ) -> None:
        """``sign_of_life`` is what bytes must contain to be more than a comment."""
        self._response = response
        self._blocks = response.iter_blocks()
        self._scanner = scanner
        self._peer = endpoint.peer
        self._patience = endpoint.timeouts.first_byte or inf
        self._prompt_tokens = prompt_tokens
        self._report = StreamReport(
            usage=_NOTHING_YET, provider_request_id=request_id, content_type=content_type
        )
        self._loop = get_running_loop()
        self._sign_of_life = sign_of_life
        self._silent_since: float | None = None
        self._over = False

    @property
    def report(self) -> StreamReport:
        scanner, report = self._scanner, self._report
        report.finish_reason = scanner.finish_reason
        report.usage = scanner.usage or Usage(
            prompt_tokens=self._prompt_tokens,
            completion_tokens=scanner.content_events,
            counted=True,
        )
        return report

    async def __anext__(self) -> bytes:
        scanner = self._scanner
        while not self._over:
            try:
                data = await self._blocks.__anext__()
            except StopAsyncIteration:
                block = scanner.end()
            except StoaError as error:
                block = await self._broken(error)
            else:
                self._be_patient(data)
                block = scanner.feed(data)
            if scanner.done or scanner.failure is not None:
                self._over = True
            if block:
                return block
        if scanner.failure is not None:
            await self._fail(scanner.failure)
        await self._response.finish()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._over = True
        await self._response.aclose()

    async def _broken(self, error: StoaError) -> bytes:
        if not isinstance(error, ProviderUnreachableError):
            await self._fail(error)
        block = self._scanner.cut()
        if self._scanner.failure is not None:
            self._scanner.failure.__cause__ = error
        return block

    def _be_patient(self, data: bytes) -> None:
        if self._sign_of_life in data:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._loop.time()
        elif self._loop.time() - self._silent_since > self._patience:
            self._scanner.failure = ProviderTimedOutError(
                f"The provider '{self._peer}' sent no event in time."
            )

    async def _fail(self, error: StoaError) -> NoReturn:
        await self.aclose()
        self._scanner.failure = None
        raise error
