from dataclasses import dataclass

import structlog

from application.inference.allowance_ports import Budgets
from application.shared.ports import Clock

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeepHolds:
    """Renews what this process holds of budgets, and gives back what dead ones held."""

    budgets: Budgets
    clock: Clock

    async def __call__(self) -> int:
        """Returns how many holds had expired."""
        await self.budgets.renew(self.clock.now())
        expired = await self.budgets.expire(self.clock.now())
        if expired:
            log.warning("budgets.holds_expired", count=expired)
        return expired
