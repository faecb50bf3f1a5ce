from collections.abc import Callable

from application.inference.limit_move import Act, LimitMove
from domain.inference.rate import Demand


class LaneMove(LimitMove):
    """A move that a lane writes."""

    def __init__(self, act: Act, demand: Demand, *, used: int | None = None) -> None:
        super().__init__(act, demand, used=used)
        self.payload = b""
        self.has_content = False

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        return False

    def hand_over(self) -> None:
        """Nobody waits for a move to be sent."""
