from dataclasses import dataclass, replace

from application.inference.invoke_model import InvokeModel
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import ProviderAnswer
from application.inference.responses.keep_response import KeepResponse
from application.inference.responses.planned_response import ResponsePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerResponse:
    """Answers a call for a response in one piece, going on from the response that it names.

    Unless the call or the team's settings say otherwise, the response is kept: when the client
    gets it, it can go on from it. ``store`` in the answer is false where that failed.
    """

    plan: ResponsePlan
    invoke: InvokeModel
    keep: KeepResponse

    async def __call__(self, command: InvokeModelCommand) -> ProviderAnswer:
        planned = await self.plan.of(command)
        answer = await self.invoke(planned.command)
        stamp = planned.admitted_stamp
        stamped = self.plan.format.stamped(answer.body, stamp)
        if planned.stores and not await self.keep(planned.stored(stamped)):
            stamped = self.plan.format.stamped(answer.body, replace(stamp, store=False))
        return replace(answer, body=stamped.body)
