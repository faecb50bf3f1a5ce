from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from application.inference.allotments.allotment import Allotment

MOST_CALLS = 8192
BUSY_S = 1.0
# An allotment that does not last this long should have been larger.
SHORT_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AllotmentRules:
    """Who has made ``busy_calls`` within a second that had to wait for their holds is worth an
    allotment. It is to be worth ``calls`` of the size of the one that it is asked for, or more if
    that does not last, and never less than ``least_calls``. ``pause_s`` lies between two of them,
    ``pause_after_nothing_s`` after a budget had none to give."""

    busy_calls: int = 8
    calls: int = 64
    least_calls: int = 8
    pause_s: float = 0.1
    pause_after_nothing_s: float = 1.0


DEFAULT_RULES = AllotmentRules()


class Caller:
    """How busy a caller is, and what is set aside for it."""

    __slots__ = ("_calls", "_is_asking", "_not_before", "_rules", "_waited", "allotment")

    def __init__(self, rules: AllotmentRules) -> None:
        self.allotment: Allotment | None = None
        self._rules = rules
        self._waited: deque[float] = deque(maxlen=rules.busy_calls)
        self._calls = rules.calls
        self._is_asking = False
        self._not_before = float("-inf")

    def has_to_wait(self, now: float) -> bool:
        """One of its calls has to wait for its hold. Whether there were many of late."""
        waited = self._waited
        waited.append(now)
        return len(waited) == waited.maxlen and now - waited[0] <= BUSY_S

    def may_ask(self, now: float) -> bool:
        return not self._is_asking and now >= self._not_before

    def ask(self, hold: Decimal, now: float) -> tuple[Decimal, Decimal]:
        """How much is wanted, and how little is worth having."""
        self._is_asking = True
        allotment = self.allotment
        if allotment is not None and now - allotment.since < SHORT_S:
            self._calls = min(self._calls * 2, MOST_CALLS)
        return self._calls * hold, self._rules.least_calls * hold

    def answered(self, now: float, *, is_granted: bool) -> None:
        self._is_asking = False
        self._not_before = now + (
            self._rules.pause_s if is_granted else self._rules.pause_after_nothing_s
        )

    def do_without(self, now: float) -> None:
        """The budget is close to its end."""
        self._not_before = now + self._rules.pause_after_nothing_s

    def was_idle(self) -> None:
        self._calls = max(self._calls // 2, self._rules.calls)

    @property
    def is_forgettable(self) -> bool:
        return self.allotment is None and not self._is_asking
