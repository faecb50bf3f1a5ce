from dataclasses import dataclass

from application.inference.routing.plan import Plan
from application.operations.ports import RuntimeSettings
from domain.models.route import GuardrailPolicy
from domain.operations.guardrail_settings import GUARDRAILS, SERVER_GUARDRAILS
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """Which guardrails hold for a call: those of the server, of its team and of its route, all of
    them. It is asked at every call, so it looks at nothing but memory."""

    settings: RuntimeSettings

    def of(self, plan: Plan, team_id: TeamId) -> tuple[GuardrailPolicy, ...]:
        of_server = self.settings.get(SERVER_GUARDRAILS)
        of_team = self.settings.get(GUARDRAILS, team_id)
        of_route = None if plan.route is None else plan.route.guardrails
        if of_server is of_team is of_route is None:
            return ()
        return tuple(one for one in (of_server, of_team, of_route) if one is not None)
