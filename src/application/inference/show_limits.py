from dataclasses import dataclass
from uuid import UUID

from application.inference.allowance_ports import RateLimits
from application.inference.rate_limit_check import limited_of
from application.shared.actor import Actor
from domain.inference.rate import Demand, Limited, Purpose, Standings

_NOTHING_TAKEN = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsOfCaller:
    """The limits of each subject that the caller is, and what remains of the tightest."""

    limited: tuple[Limited, ...]
    standings: Standings


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowLimits:
    """Shows callers what limits they have and what remains of them, which takes nothing away."""

    limits: RateLimits

    async def __call__(self, actor: Actor) -> LimitsOfCaller:
        limited = limited_of(actor)
        standings = Standings()
        if limited:
            standings = await self.limits.look(
                Demand(
                    id=_NOTHING_TAKEN,
                    team_id=actor.team_id,
                    purpose=Purpose.CALLS,
                    limited=limited,
                )
            )
        return LimitsOfCaller(limited=limited, standings=standings)
