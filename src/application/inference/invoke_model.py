from asyncio import CancelledError
from dataclasses import dataclass

from application.inference.admission import Admission, InvokeModelCommand
from application.inference.ports import ModelProviders, ProviderAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeModel:
    """Answers a model call in one piece.

    The answer is handed out only when the call's row is durable. Cancelling aborts the provider's
    work and records the call as cancelled.
    """

    admission: Admission
    providers: ModelProviders

    async def __call__(self, command: InvokeModelCommand) -> ProviderAnswer:
        flight = await self.admission.admit(command)
        # What was answered is paid for, whether or not it still reaches the client.
        answer: ProviderAnswer | None = None
        try:
            provider = self.providers.get(flight.request.model)
            answer = await provider.complete(flight.request)
            flight.first_byte()
            await flight.write_ahead.committed
        except CancelledError:
            flight.cancel(answer)
            raise
        except BaseException as error:
            flight.fail(error, answer)
            raise
        flight.succeed(answer, answer.body)
        return answer
