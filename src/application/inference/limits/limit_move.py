import asyncio
from collections.abc import Sequence
from enum import Enum

from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Limited, Spent, Standings, worst_shortage
from domain.shared.errors import UnavailableError


class Act(Enum):
    TAKE = "take"
    LOOK = "look"


class LimitMove:
    """One demand on its way to counters that are elsewhere. ``answer`` is there for those who
    wait; when they stop waiting, ``is_wanted`` says that what was taken has to be given back."""

    def __init__(self, act: Act, demand: Demand) -> None:
        self.act = act
        self.demand = demand
        self.is_sent = False
        self.is_wanted = True
        self.is_admitted = False
        self.answer: asyncio.Future[Standings] = asyncio.get_running_loop().create_future()

    @property
    def takes(self) -> bool:
        return self.act is Act.TAKE

    @property
    def has_to_be_undone(self) -> bool:
        return self.takes and self.is_admitted and not self.is_wanted

    def requests(self, limited: Limited) -> int:
        """By how much the move changes what was spent."""
        return 1 if self.takes and limited.limits.rpm is not None else 0

    def tokens(self, limited: Limited) -> int:
        """By how much the move changes what was spent."""
        return limited.reserved(self.demand.tokens) if self.takes else 0

    def conclude(self, is_admitted: bool, states: Sequence[Spent]) -> None:
        """Tell whoever still waits."""
        self.is_admitted = is_admitted
        if self.answer.done():
            return
        limited = self.demand.limited
        standings = Standings.of(
            [(one.limits, spent) for one, spent in zip(limited, states, strict=True)]
        )
        if is_admitted:
            self.answer.set_result(standings)
        else:
            shortage = worst_shortage(self.demand, states)
            self.answer.set_exception(RateLimitedError.short_of(shortage, standings))

    def fail(self) -> None:
        """Tell whoever still waits that the counters cannot be reached."""
        if not self.answer.done():
            self.answer.set_exception(counters_away())


def counters_away() -> UnavailableError:
    return UnavailableError("The limits of the caller cannot be counted now.", retry_after=1.0)
