"""What a caller may use is asked for before a call and settled with it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from application.shared.actor import Actor
from domain.inference.budget import CallSize
from domain.inference.call import Call
from domain.inference.rate import Standings
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import ServedModel

TellStandings = Callable[[Standings], None]


# Not frozen like other values: one is made for every call, and that would double what it costs.
@dataclass(slots=True, kw_only=True)
class AllowanceRequest:
    """A call that is about to be made. ``estimate`` is what it may be expected to use, ``size``
    bounds what it can cost; ``others`` may answer instead of ``model``. ``tell`` hears what remains
    of the caller's limits as soon as that is known, also when they refuse. ``is_answered`` says
    that no model has to be asked: the call is one more, but uses nothing. ``is_hedged`` says that
    two models may be at it at the same time, ``most_in_vain`` how many may be asked before one
    answers."""

    actor: Actor
    call: Call
    model: ServedModel
    estimate: TokenEstimate
    size: CallSize
    others: tuple[ServedModel, ...] = ()
    tell: TellStandings | None = None
    is_answered: bool = False
    is_hedged: bool = False
    most_in_vain: int = 0


class Reservation(Protocol):
    """What was set aside for one call. Exactly one of the two methods is called, once; neither
    blocks nor fails, so that they are safe while a task is being cancelled."""

    def settle(self, call: Call) -> None:
        """The call has its outcome, whatever it is: keep what it used, give back the rest."""
        ...

    def release(self) -> None:
        """The call was never made: give back everything."""
        ...

    def covers(self, model: ServedModel, spent: Decimal) -> bool:
        """Whether that model may still be asked, when attempts have cost so much in vain."""
        ...


class AllowanceCheck(Protocol):
    """Something that bounds what a caller may use."""

    async def admit(self, request: AllowanceRequest) -> Reservation | None:
        """Set aside what the call may use; ``None`` where nothing bounds the caller. Raises a
        ``LimitExceededError`` when there is not enough left, and leaves nothing set aside if it is
        cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class CallAllowances:
    """Asks the checks one after the other: all of them agree, or none of them keeps anything."""

    checks: tuple[AllowanceCheck, ...] = ()

    async def admit(self, request: AllowanceRequest) -> tuple[Reservation, ...]:
        reserved: list[Reservation] = []
        try:
            for check in self.checks:
                reservation = await check.admit(request)
                if reservation is not None:
                    reserved.append(reservation)
        except BaseException:
            for reservation in reserved:
                reservation.release()
            raise
        return tuple(reserved)
