from asyncio import CancelledError
from dataclasses import dataclass

from application.inference.admission import Admission
from application.inference.attempts.attempts import Attempts
from application.inference.call_in_flight import CallInFlight
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import ProviderAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeModel:
    """Answers a model call in one piece.

    The answer is handed out only when the call's row is durable, and before its outcome is put on
    record, for which nobody need wait. Cancelling aborts the provider's work and records the call
    as cancelled; what was answered is paid for, whether or not it still reaches the client.
    """

    admission: Admission
    attempts: Attempts

    async def __call__(self, command: InvokeModelCommand) -> ProviderAnswer:
        flight = await self.admission.admit(command)
        answer: ProviderAnswer | None = None
        try:
            if flight.instead is None:
                answer = await self.attempts.answer(flight)
            else:
                answer = _recalled(flight)
            for one in reversed(flight.filters):
                answer = await one.answer(answer)
            flight.first_byte()
            await flight.write_ahead.committed
        except CancelledError:
            flight.cancel(answer)
            raise
        except BaseException as error:
            flight.fail(error, answer)
            raise
        flight.conclude(answer, answer.body)
        try:
            if command.deliver is not None:
                await command.deliver(answer)
        finally:
            flight.close()
        return answer


def _recalled(flight: CallInFlight) -> ProviderAnswer:
    if not isinstance(flight.instead, ProviderAnswer):
        raise TypeError("A stream stands in for an answer in one piece.")
    return flight.instead
