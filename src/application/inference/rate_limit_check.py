from dataclasses import dataclass
from decimal import Decimal

from application.inference.allowance_ports import RateLimits
from application.inference.call_allowances import AllowanceCheck, AllowanceRequest, Reservation
from application.shared.actor import Actor
from domain.inference.call import Call, CallStatus
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Limited, Purpose
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.usage import Usage

# What an answer without a limit of its own is taken for, until it is there to be counted.
ASSUMED_OUTPUT_TOKENS = 256


@dataclass(frozen=True, slots=True)
class RateReservation(Reservation):
    limits: RateLimits
    demand: Demand

    def settle(self, call: Call) -> None:
        tokens: int | None = 0
        if call.is_recalled:
            tokens = 0
        elif call.status is CallStatus.CANCELLED and _is_guess(call.usage):
            # The provider was at it; how far it had come, nobody said.
            tokens = None
        elif call.usage is not None:
            tokens = call.usage.prompt_tokens + call.usage.completion_tokens
        self.limits.settle(self.demand, tokens)

    def release(self) -> None:
        self.limits.release(self.demand)

    def covers(self, model: ServedModel, spent: Decimal) -> bool:
        """Limits are no money: what attempts used in vain is not the caller's."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitCheck(AllowanceCheck):
    """Requests and tokens per minute, and calls at the same time."""

    limits: RateLimits

    async def admit(self, request: AllowanceRequest) -> Reservation | None:
        limited = limited_of(request.actor)
        if not limited:
            return None
        estimate = request.estimate
        demand = Demand(
            id=request.call.id,
            team_id=request.actor.team_id,
            purpose=Purpose.CALLS,
            limited=limited,
            tokens=0 if request.is_answered else _tokens(estimate, request.model.kind),
        )
        try:
            if not request.is_answered:
                _refuse_what_never_fits(limited, estimate)
            standings = await self.limits.take(demand)
        except RateLimitedError as error:
            if request.tell is not None and error.standings is not None:
                request.tell(error.standings)
            raise
        if request.tell is not None:
            request.tell(standings)
        return RateReservation(self.limits, demand)


def limited_of(actor: Actor) -> tuple[Limited, ...]:
    """The subjects that have limits, of those that the actor is."""
    found: list[Limited] = []
    for allowance in actor.allowances:
        limits = allowance.limits
        if limits is not None and (limits.rpm or limits.tpm or limits.concurrency):
            found.append(Limited(subject=allowance.subject, limits=limits))
    return tuple(found)


def _is_guess(usage: Usage | None) -> bool:
    return usage is None or (usage.counted and not usage.completion_tokens)


def _tokens(estimate: TokenEstimate, kind: ModelKind) -> int:
    if estimate.output is not None:
        return estimate.prompt + estimate.output
    return estimate.prompt + (ASSUMED_OUTPUT_TOKENS if kind is ModelKind.CHAT else 0)


def _refuse_what_never_fits(limited: tuple[Limited, ...], estimate: TokenEstimate) -> None:
    """The length of a prompt is a guess, that of the answer is the client's own word."""
    for one in limited:
        tpm = one.limits.tpm
        if tpm is not None and estimate.output is not None and estimate.output > tpm:
            raise RateLimitedError.too_large(one, estimate.output)
