import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog

from application.inference.allowance_ports import RateLimits
from application.operations.ports import RuntimeSettings
from application.shared.actor import Actor
from domain.identity.allowance import Limits, Subject, SubjectKind
from domain.inference.rate import Demand, Limited, Purpose, Standing
from domain.operations.runtime_settings import API_REQUESTS_PER_MINUTE
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

PATIENCE_S = 1.0
_NO_PLACE = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountApiRequest:
    """Bounds how fast one principal asks the management API. Where the counters are away, it lets
    everybody pass: it is the way to mend that."""

    limits: RateLimits
    settings: RuntimeSettings

    async def __call__(self, actor: Actor) -> Standing | None:
        """Returns what remains, where there is a limit. Raises ``RateLimitedError``."""
        per_minute = self.settings.get(API_REQUESTS_PER_MINUTE)
        subject = _subject_of(actor)
        if per_minute == 0 or subject is None:
            return None
        demand = Demand(
            id=_NO_PLACE,
            team_id=actor.team_id,
            purpose=Purpose.API,
            limited=(Limited(subject=subject, limits=Limits(rpm=per_minute)),),
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                return (await self.limits.take(demand)).requests
        except (UnavailableError, TimeoutError) as error:
            log.warning("api_request.not_counted", reason=repr(error))
            return None


def _subject_of(actor: Actor) -> Subject | None:
    if actor.key_id is not None:
        return Subject(SubjectKind.KEY, actor.key_id)
    return None if actor.user_id is None else Subject(SubjectKind.USER, actor.user_id)
