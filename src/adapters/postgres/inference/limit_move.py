import asyncio
from collections.abc import Callable, Sequence
from enum import Enum

from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Limited, Spent, Standings, worst_shortage


class Act(Enum):
    TAKE = "take"
    LOOK = "look"
    SETTLE = "settle"
    RELEASE = "release"


class Move:
    """One demand on its way to the counters, an item of a lane. ``answer`` is there for those who
    wait."""

    __slots__ = (
        "act",
        "answer",
        "demand",
        "has_content",
        "is_admitted",
        "is_sent",
        "is_wanted",
        "payload",
        "used",
    )

    def __init__(self, act: Act, demand: Demand, *, used: int | None = None) -> None:
        self.act = act
        self.demand = demand
        self.used = used
        self.payload = b""
        self.has_content = False
        self.is_sent = False
        self.is_wanted = True
        self.is_admitted = False
        self.answer: asyncio.Future[Standings] | None = None
        if act in (Act.TAKE, Act.LOOK):
            self.answer = asyncio.get_running_loop().create_future()

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        return False

    def hand_over(self) -> None:
        """Nobody waits for a move to be sent."""

    @property
    def takes(self) -> bool:
        return self.act is Act.TAKE

    def requests(self, limited: Limited) -> int:
        """By how much the move changes what was spent."""
        if limited.limits.rpm is None:
            return 0
        return 1 if self.takes else -(self.act is Act.RELEASE)

    def tokens(self, limited: Limited) -> int:
        """By how much the move changes what was spent."""
        reserved = limited.reserved(self.demand.tokens)
        if self.takes:
            return reserved
        if self.act is Act.SETTLE:
            return limited.correction(self.demand.tokens, self.used)
        return -reserved if self.act is Act.RELEASE else 0

    def conclude(self, is_admitted: bool, states: Sequence[Spent]) -> None:
        """Tell whoever still waits."""
        self.is_admitted = is_admitted
        if self.answer is None or self.answer.done():
            return
        limited = self.demand.limited
        standings = Standings.of(
            (one.limits, spent) for one, spent in zip(limited, states, strict=True)
        )
        if is_admitted:
            self.answer.set_result(standings)
        else:
            shortage = worst_shortage(self.demand, states)
            self.answer.set_exception(RateLimitedError.short_of(shortage, standings))
