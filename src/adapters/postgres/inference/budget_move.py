import asyncio
from collections.abc import Callable
from enum import Enum

from domain.inference.budget import Hold
from domain.shared.errors import StoaError


class Act(Enum):
    TAKE = "take"
    NOTE = "note"
    RELEASE = "release"
    RESTORE = "restore"


class BudgetMove:
    """What waits to be done to the budgets of one call. Somebody waits for the answer to a take
    only; a note takes without anybody waiting, and what is restored had been taken before."""

    __slots__ = ("act", "answer", "hold", "is_sent", "is_taken", "is_wanted")

    # A lane bounds its batches by these.
    payload = b""
    has_content = False

    def __init__(self, act: Act, hold: Hold) -> None:
        self.act = act
        self.hold = hold
        self.answer: asyncio.Future[None] | None = None
        if act is Act.TAKE:
            self.answer = asyncio.get_running_loop().create_future()
        self.is_wanted = True
        self.is_sent = False
        self.is_taken = False

    @property
    def is_due(self) -> bool:
        """What was sent once may have happened, so it has to come to its end."""
        return self.is_wanted or self.is_sent

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        return False

    def hand_over(self) -> None:
        """Nobody waits for a move to be sent."""

    def grant(self) -> None:
        self.is_taken = True
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(None)

    def refuse(self, error: StoaError) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error)
