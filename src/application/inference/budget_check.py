from dataclasses import dataclass
from decimal import Decimal

from application.inference.allowance_ports import Budgets
from application.inference.call_allowances import AllowanceCheck, AllowanceRequest, Reservation
from domain.inference.budget import Hold
from domain.inference.call import Call


@dataclass(frozen=True, slots=True)
class BudgetReservation(Reservation):
    budgets: Budgets
    hold: Hold

    def settle(self, call: Call) -> None:
        self.budgets.settle(self.hold, call)

    def release(self) -> None:
        self.budgets.release(self.hold)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCheck(AllowanceCheck):
    """Holds the most that a call can cost, wherever a budget bounds its caller. What has no price
    cannot be held: calls of unpriced models are let through. Where several models may answer, the
    dearest counts."""

    budgets: Budgets

    async def admit(self, request: AllowanceRequest) -> Reservation | None:
        if request.is_answered:
            return None
        bounding = tuple([one.budget for one in request.actor.allowances if one.budget is not None])
        amount = _worst_cost(request) if bounding else None
        if not amount:
            return None
        call = request.call
        hold = Hold(
            call_id=call.id,
            team_id=call.team_id,
            user_id=call.user_id,
            key_id=call.key_id,
            amount=amount,
            at=call.created_at,
            terms=bounding,
        )
        if any(terms.hard for terms in bounding):
            allotment_id = await self.budgets.hold(hold)
        else:
            allotment_id = self.budgets.note(hold)
        if allotment_id is not None:
            call.held, call.allotment_id = amount, allotment_id
        return BudgetReservation(self.budgets, hold)


def _worst_cost(request: AllowanceRequest) -> Decimal | None:
    costs = (request.size.worst_cost(model) for model in (request.model, *request.others))
    return max((cost for cost in costs if cost is not None), default=None)
