from collections.abc import Mapping
from dataclasses import dataclass

from application.inference.guarding.guard_output import GuardOutput
from application.inference.guarding.guardrails import Guardrails
from application.inference.guarding.inspection import INPUT, OUTPUT, Inspection
from application.inference.guarding.large_texts import LargeTexts
from application.inference.guarding.ports import ContentFormats, JsonSchemas
from application.inference.interception import Interceptor, Passage
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import GENERATION, UPLOADS, Operation
from application.inference.routing.plan import Plan
from domain.inference.guardrails.rules import rules_of
from domain.models.route import Route

_SPEAKS = GENERATION | {Operation.COMPLETION, Operation.IMAGE, Operation.TRANSCRIPTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardContent(Interceptor):
    """Looks at the texts of a call for what the server, its team or its route do not let through,
    on their way to a model and back. Uploads, images and sound are not looked at, but what a model
    hears in them is."""

    guardrails: Guardrails
    formats: ContentFormats
    schemas: JsonSchemas
    large: LargeTexts

    def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
        policies = self.guardrails.of(plan, command.actor.team_id)
        is_read = command.operation not in UPLOADS
        return bool(policies) and (is_read or command.operation in _SPEAKS)

    async def intercept(self, passage: Passage) -> None:
        operation, call = passage.command.operation, passage.call
        policies = self.guardrails.of(passage.plan, call.team_id)
        asking = rules_of(policies, is_input=True)
        asked = Inspection(call=call, stage=INPUT, rules=asking)
        if operation not in UPLOADS:
            passage.body = await self.large.look(
                passage.body, lambda body: self.formats.request(operation, body, asked.opens)
            )
        schema = _schema_of(passage.plan.route)
        if operation in _SPEAKS and (schema is not None or any(one.on_output for one in policies)):
            saying = rules_of(policies, is_input=False)
            passage.filters.append(
                GuardOutput(
                    inspection=Inspection(call=call, stage=OUTPUT, rules=saying),
                    formats=self.formats,
                    schemas=self.schemas,
                    operation=operation,
                    large=self.large,
                    schema=schema,
                )
            )


def _schema_of(route: Route | None) -> Mapping[str, object] | None:
    return None if route is None or route.guardrails is None else route.guardrails.output_schema
