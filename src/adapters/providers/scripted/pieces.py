from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.run import Run
from adapters.providers.scripted.wire import request_id
from application.inference.ports import ProviderRequest, ProviderStream, StreamReport
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """An answer that is no conversation, piece by piece, and what it uses in all."""

    blocks: Iterator[bytes]
    usage: Usage
    content_type: str


class PieceStream(AsyncIterator[bytes], ProviderStream):
    """``cut_after`` counts pieces here, since there are no tokens."""

    def __init__(
        self,
        request: ProviderRequest,
        pieces: Pieces,
        options: ScriptedOptions,
        *,
        run: Run,
        on_close: Callable[[Run], None],
    ) -> None:
        self._provider = request.model.provider
        self._pieces = pieces
        self._options = options
        self._run = run
        self._on_close = on_close
        self._sent = 0
        self._closed = False
        self._report = StreamReport(
            usage=pieces.usage,
            content_type=pieces.content_type,
            provider_request_id=f"scripted-{request_id(request)}",
        )

    @property
    def report(self) -> StreamReport:
        return self._report

    async def __anext__(self) -> bytes:
        options = self._options
        if self._closed:
            raise StopAsyncIteration
        if self._sent == 0:
            await self._run.sleep(None if options.hang else options.delay_ms / 1000)
        else:
            await self._run.sleep(options.chunk_delay_ms / 1000)
        if self._sent == options.cut_after:
            await self.aclose()
            raise ProviderFailedError(
                f"The provider '{self._provider}' ended its stream before the terminator."
            )
        block = next(self._pieces.blocks, None)
        if block is None:
            await self.aclose()
            raise StopAsyncIteration
        self._sent += 1
        return block

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._run.abort()
            self._on_close(self._run)
