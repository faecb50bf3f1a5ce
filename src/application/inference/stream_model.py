from asyncio import CancelledError
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from application.inference.admission import Admission
from application.inference.attempts.attempts import Attempts
from application.inference.attempts.begun_stream import BegunStream, begun
from application.inference.call_in_flight import CallInFlight
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import ProviderAnswer, ProviderStream, StreamReport

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
    source: BegunStream
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
        first = self.source.first
        try:
            if first is not None:
                await flight.write_ahead.committed
                flight.first_byte()
                if flight.capture:
                    self._captured += first
                yield first
                async for block in self.source.rest:
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

    The stream is returned when its first block is there; whatever goes wrong before is raised, and
    by then no model was left that could have answered instead.
    """

    admission: Admission
    attempts: Attempts

    async def __call__(self, command: InvokeModelCommand) -> AnswerStream:
        flight = await self.admission.admit(command)
        source: BegunStream | None = None
        try:
            if flight.instead is None:
                source = await self.attempts.stream(flight)
            else:
                source = await begun(_recalled(flight))
            if flight.filters:
                source = await begun(_filtered(flight, source))
        except BaseException as error:
            if source is not None:
                await source.aclose()
            _give_up(flight, error, None if source is None else source.report)
            raise
        return AnswerStream(flight=flight, source=source)


def _give_up(flight: CallInFlight, error: BaseException, report: StreamReport | None) -> None:
    if isinstance(error, CancelledError):
        flight.cancel(report)
    else:
        flight.fail(error, report)


def _filtered(flight: CallInFlight, source: ProviderStream) -> ProviderStream:
    for one in reversed(flight.filters):
        source = one.stream(source)
    return source


def _recalled(flight: CallInFlight) -> ProviderStream:
    if flight.instead is None or isinstance(flight.instead, ProviderAnswer):
        raise TypeError("An answer in one piece stands in for a stream.")
    return flight.instead
