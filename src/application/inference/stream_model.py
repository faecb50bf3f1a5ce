from asyncio import CancelledError
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from application.inference.admission import Admission, InvokeModelCommand
from application.inference.call_in_flight import CallInFlight
from application.inference.ports import ModelProviders, ProviderStream

# What is kept of a captured stream; the rest of a longer one is not stored.
MAX_CAPTURED_BYTES = 1_000_000


@dataclass(slots=True, kw_only=True)
class AnswerStream:
    """The answer to an admitted streaming call, as blocks of complete SSE events.

    Iterate it once, and ``aclose`` it whatever happens: leaving early aborts the provider's work
    and records the call as cancelled. An error after the first block is raised from the iteration,
    with the row already closed.
    """

    flight: CallInFlight
    source: ProviderStream
    _blocks: AsyncGenerator[bytes, None] | None = None
    _captured: bytearray = field(default_factory=bytearray)
    _closed: bool = False

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        self._blocks = self._relay()
        return self._blocks

    async def aclose(self) -> None:
        if self._blocks is not None:
            await self._blocks.aclose()
        self._close_as_cancelled()
        await self.source.aclose()

    async def _relay(self) -> AsyncGenerator[bytes, None]:
        flight = self.flight
        first = True
        try:
            async for block in self.source:
                if first:
                    await flight.write_ahead.committed
                    flight.first_byte()
                    first = False
                if flight.capture and len(self._captured) < MAX_CAPTURED_BYTES:
                    self._captured += block
                yield block
        except (CancelledError, GeneratorExit):
            self._close_as_cancelled()
            raise
        except BaseException as error:
            self._closed = True
            flight.fail(error, self.source.report, bytes(self._captured))
            raise
        self._closed = True
        flight.succeed(self.source.report, bytes(self._captured))

    def _close_as_cancelled(self) -> None:
        if not self._closed:
            self._closed = True
            self.flight.cancel(self.source.report, bytes(self._captured))


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamModel:
    """Answers a model call piece by piece, as server-sent events.

    Whatever can be refused is refused before the stream is returned.
    """

    admission: Admission
    providers: ModelProviders

    async def __call__(self, command: InvokeModelCommand) -> AnswerStream:
        flight = await self.admission.admit(command)
        try:
            provider = self.providers.get(flight.request.model)
            source = await provider.open_stream(flight.request)
        except CancelledError:
            flight.cancel()
            raise
        except BaseException as error:
            flight.fail(error)
            raise
        return AnswerStream(flight=flight, source=source)
