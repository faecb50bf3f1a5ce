"""Changing what a team, a user or a key may use."""

from dataclasses import dataclass
from datetime import datetime

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.unset import UNSET, UnsetType
from domain.identity.allowance import Allowance, BudgetTerms, Limits, Subject
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceChange:
    """What is not given stays; ``None`` takes the limits or the budget away."""

    limits: Limits | UnsetType | None = UNSET
    budget: BudgetTerms | UnsetType | None = UNSET

    @property
    def is_empty(self) -> bool:
        return self.limits is UNSET and self.budget is UNSET

    def must_be_allowed(self, actor: Actor) -> None:
        if not self.is_empty:
            actor.require(Permission.MANAGE_LIMITS)

    async def apply(
        self, tx: IdentityUnitOfWork, actor: Actor, subject: Subject, at: datetime
    ) -> Allowance:
        """Make the change in the actor's team and return what is then set."""
        if self.limits is not UNSET:
            await tx.allowances.set_limits(actor.team_id, subject, self.limits)
        if self.budget is not UNSET:
            await tx.allowances.set_budget(actor.team_id, subject, self.budget, at=at)
        return await tx.allowances.get(actor.team_id, subject)


UNCHANGED = AllowanceChange()


def recorded(allowance: Allowance) -> dict[str, object]:
    """What the audit trail tells of it."""
    return {"limits": allowance.limits, "budget": allowance.budget}
