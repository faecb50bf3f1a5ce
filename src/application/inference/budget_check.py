from dataclasses import dataclass
from decimal import Decimal

from application.inference.allowance_ports import Budgets
from application.inference.call_allowances import AllowanceCheck, AllowanceRequest, Reservation
from domain.identity.allowance import BudgetTerms
from domain.inference.budget import CallSize, Hold
from domain.inference.call import Call
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True)
class BudgetReservation(Reservation):
    """``is_hard`` says that the call must not cost more than the hold."""

    budgets: Budgets
    hold: Hold
    size: CallSize
    is_hard: bool

    def settle(self, call: Call) -> None:
        self.budgets.settle(self.hold, call)

    def release(self) -> None:
        self.budgets.release(self.hold)

    def covers(self, model: ServedModel, spent: Decimal) -> bool:
        worst = self.size.worst_cost(model) if self.is_hard else None
        return worst is None or spent + worst <= self.hold.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCheck(AllowanceCheck):
    """Holds the most that a call can cost, wherever a budget bounds its caller. What has no price
    cannot be held: calls of unpriced models are let through. Where several models may answer, the
    dearest counts, and where two may be at it at once, the two dearest."""

    budgets: Budgets

    async def admit(self, request: AllowanceRequest) -> Reservation | None:
        if request.is_answered:
            return None
        bounding: list[BudgetTerms] = []
        is_hard = False
        for allowance in request.actor.allowances:
            if allowance.budget is not None:
                bounding.append(allowance.budget)
                is_hard = is_hard or allowance.budget.hard
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
            terms=tuple(bounding),
        )
        if is_hard:
            allotment_id = await self.budgets.hold(hold)
        else:
            allotment_id = self.budgets.note(hold)
        if allotment_id is not None:
            call.held, call.allotment_id = amount, allotment_id
        return BudgetReservation(self.budgets, hold, request.size, is_hard)


def _worst_cost(request: AllowanceRequest) -> Decimal | None:
    if not request.others:
        return request.size.worst_cost(request.model)
    costs = (request.size.worst_cost(model) for model in (request.model, *request.others))
    priced = sorted((cost for cost in costs if cost is not None), reverse=True)
    worst = sum(priced[: 2 if request.is_hedged else 1], Decimal(0))
    return worst + _cost_in_vain(request) if worst else worst


def _cost_in_vain(request: AllowanceRequest) -> Decimal:
    """Who did not answer in time is paid for the question, which must not keep the next one from
    being asked."""
    if not request.most_in_vain:
        return Decimal(0)
    models = (request.model, *request.others)
    return request.most_in_vain * max(map(request.size.question_cost, models))
