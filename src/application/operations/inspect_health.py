from dataclasses import dataclass

from application.operations.check_health import CheckHealth, HealthReport
from application.shared.actor import Actor
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectHealth:
    """Shows how every part of Stoa is; for those who manage the team."""

    check_health: CheckHealth

    async def __call__(self, actor: Actor) -> HealthReport:
        actor.require(Permission.MANAGE_TEAM)
        return await self.check_health()
