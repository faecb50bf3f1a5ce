from dataclasses import dataclass
from datetime import timedelta

from application.identity.session_ports import EndedSessions
from application.shared.ports import Clock

# A refresh token that is used again is noticed for as long as its session is known.
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetEndedSessions:
    """Deletes sessions that ended a week ago, with their refresh tokens."""

    ended: EndedSessions
    clock: Clock

    async def __call__(self) -> None:
        await self.ended.forget(self.clock.now() - KEPT_FOR)
