from collections.abc import AsyncIterator, Callable, Iterator
from typing import NoReturn

from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.reply import Reply
from adapters.providers.scripted.run import Run
from adapters.providers.scripted.wire import Phase, chunks_of, request_id, usage_chunk
from application.inference.ports import ProviderRequest, ProviderStream, StreamReport
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage

DONE = b"data: [DONE]\n\n"


class ScriptedStream(AsyncIterator[bytes], ProviderStream):
    """Says its reply token by token, one event each."""

    def __init__(
        self,
        request: ProviderRequest,
        reply: Reply,
        options: ScriptedOptions,
        *,
        run: Run,
        on_close: Callable[[Run], None],
    ) -> None:
        self._request = request
        self._reply = reply
        self._options = options
        self._run = run
        self._on_close = on_close
        self._events: Iterator[tuple[bytes, Phase]] = chunks_of(request, reply)
        self._tail = [usage_chunk(request, reply)] if request.include_usage else []
        self._tail.append(DONE)
        self._spoken = 0
        self._started = False
        self._closed = False
        self._report = StreamReport(
            usage=Usage(prompt_tokens=reply.usage.prompt_tokens, counted=True),
            provider_request_id=f"scripted-{request_id(request)}",
        )

    @property
    def report(self) -> StreamReport:
        return self._report

    async def __anext__(self) -> bytes:
        if self._closed:
            raise StopAsyncIteration
        if not self._started:
            self._started = True
            await self._run.sleep(None if self._options.hang else self._options.delay_ms / 1000)
        upcoming = next(self._events, None)
        if upcoming is None:
            return await self._end()
        event, phase = upcoming
        if phase is not Phase.OPENING and self._spoken == self._options.cut_after:
            await self._cut()
        if phase is Phase.SPEAKING:
            await self._before_token()
        await self._run.sleep(0)
        return event

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._run.abort()
            self._on_close(self._run)

    async def _cut(self) -> NoReturn:
        await self.aclose()
        raise ProviderFailedError(
            f"The provider '{self._request.model.provider}' ended its stream before the terminator."
        )

    async def _before_token(self) -> None:
        if self._spoken:
            await self._run.sleep(self._options.chunk_delay_ms / 1000)
        self._spoken += 1
        self._report.usage = Usage(
            prompt_tokens=self._reply.usage.prompt_tokens,
            completion_tokens=self._spoken,
            counted=True,
        )

    async def _end(self) -> bytes:
        self._report.usage = self._reply.usage
        self._report.finish_reason = self._reply.finish_reason
        block = self._tail.pop(0)
        if not self._tail:
            await self.aclose()
        return block
