from dataclasses import dataclass

from application.inference.guarding.guard_output import GuardOutput
from application.inference.guarding.inspection import INPUT, OUTPUT, Inspection
from application.inference.guarding.ports import ContentFormats, JsonSchemas
from application.inference.interception import Interceptor, Passage
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import GENERATION, JSON, Operation
from application.inference.routing.plan import Plan

_SPEAKS = GENERATION | {Operation.COMPLETION}


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardContent(Interceptor):
    """Looks at the texts of a call for what its route does not let through, on their way to a model
    and back. Uploads, images and sound are not looked at."""

    formats: ContentFormats
    schemas: JsonSchemas

    def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
        return (
            plan.route is not None
            and plan.route.guardrails is not None
            and command.content_type.startswith(JSON)
        )

    async def intercept(self, passage: Passage) -> None:
        route, operation = passage.plan.route, passage.command.operation
        if route is None or route.guardrails is None:
            return
        policy, call = route.guardrails, passage.call
        asked = Inspection(call=call, stage=INPUT, policy=policy, is_on=policy.on_input)
        passage.body = self.formats.request(operation, passage.body, asked.opens)
        if operation in _SPEAKS and (policy.on_output or policy.output_schema is not None):
            said = Inspection(call=call, stage=OUTPUT, policy=policy, is_on=policy.on_output)
            passage.filters.append(
                GuardOutput(
                    inspection=said,
                    formats=self.formats,
                    schemas=self.schemas,
                    operation=operation,
                )
            )
