from dataclasses import dataclass

import structlog

from application.inference.ports import OrphanedCalls
from application.shared.ports import Clock

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptOrphanedCalls:
    """Closes the rows that a killed process left open."""

    orphans: OrphanedCalls
    clock: Clock

    async def __call__(self) -> int:
        count = await self.orphans.interrupt(self.clock.now())
        if count:
            log.warning("calls.interrupted", count=count)
        return count
