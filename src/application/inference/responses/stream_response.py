from asyncio import CancelledError
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from application.inference.model_command import InvokeModelCommand
from application.inference.ports import ProviderStream
from application.inference.responses.keep_response import KeepResponse
from application.inference.responses.planned_response import PlannedResponse, ResponsePlan
from application.inference.responses.ports import ResponseStream, StampedResponse
from application.inference.stream_model import AnswerStream, StreamModel
from domain.shared.errors import StoaError, TechnicalError


@dataclass(slots=True, kw_only=True)
class StreamedResponse:
    """The stream of a response, to be used as the ``AnswerStream`` that it is made of.

    It is kept when it ends, and its last event leaves when that is done; it is kept as far as it
    came when its client hangs up or its provider fails.
    """

    answer: AnswerStream
    stream: ResponseStream
    planned: PlannedResponse
    keep: KeepResponse
    _blocks: AsyncGenerator[bytes, None] | None = None
    _has_begun: bool = False
    _is_over: bool = False

    @property
    def source(self) -> ProviderStream:
        return self.answer.source

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        self._blocks = self._relay()
        return self._blocks

    async def aclose(self) -> None:
        try:
            if self._blocks is not None:
                await self._blocks.aclose()
        finally:
            self._cut(None)
            await self.answer.aclose()

    async def _relay(self) -> AsyncGenerator[bytes, None]:
        try:
            async for block in self.answer:
                passed = self.stream.feed(block)
                if passed:
                    self._has_begun = True
                    yield passed
        except (CancelledError, GeneratorExit):
            self._cut(None)
            raise
        except Exception as error:
            failure = error if isinstance(error, StoaError) else TechnicalError("It failed.")
            cut = self._cut(failure)
            if cut is not None:
                yield cut.body
            raise
        yield await self._last()

    async def _last(self) -> bytes:
        self._is_over = True
        ended = self.stream.ended() or self.stream.cut(None)
        if self.planned.stores and not await self.keep(self.planned.stored(ended)):
            return self.stream.restamped(store=False)
        return ended.body

    def _cut(self, error: StoaError | None) -> StampedResponse | None:
        """``None`` where it has come to an end before, or has never begun."""
        if self._is_over or not self._has_begun:
            return None
        self._is_over = True
        cut = self.stream.ended() or self.stream.cut(error)
        if self.planned.stores:
            self.keep.soon(self.planned.stored(cut))
        return cut


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResponse:
    """Answers a call for a response as server-sent events, going on from the response that it
    names; see ``AnswerResponse``. Whatever can be refused is refused before the stream is
    returned."""

    plan: ResponsePlan
    stream: StreamModel
    keep: KeepResponse

    async def __call__(self, command: InvokeModelCommand) -> StreamedResponse:
        planned = await self.plan.of(command)
        answer = await self.stream(planned.command)
        return StreamedResponse(
            answer=answer,
            stream=self.plan.format.stream(planned.admitted_stamp, keeps=planned.stores),
            planned=planned,
            keep=self.keep,
        )
