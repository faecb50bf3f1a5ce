from dataclasses import dataclass
from enum import StrEnum

# How often the time for which a breaker stays open doubles when its probes fail.
MOST_DOUBLINGS = 3


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTerms:
    """When a breaker opens, and for how long.

    After ``failures`` in a row, or when at least ``error_rate`` (0 to 1) of the calls in a window
    of ``window_s`` failed, if there were ``least_calls`` in it; 0 is never for that. Without a
    ``cooldown_s`` it does not open at all.
    """

    failures: int = 5
    error_rate: float = 0.5
    least_calls: int = 20
    window_s: float = 30.0
    cooldown_s: float = 10.0


@dataclass(slots=True)
class Breaker:
    """Keeps calls from a deployment that fails.

    Closed, it lets everything through and counts. Open, it lets nothing through until
    ``open_until``. From then on it is half open: one call at a time is let through, whose outcome
    closes it or opens it again for longer. Moments are in seconds of a clock that never goes back.
    """

    in_a_row: int = 0
    good: int = 0
    bad: int = 0
    window_began: float = 0.0
    opened_at: float = 0.0
    open_until: float | None = None
    probe_until: float | None = None
    reopened: int = 0

    def state(self, now: float) -> BreakerState:
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN

    def admits(self, now: float) -> bool:
        """Whether a call may be made now. Asking changes nothing."""
        if self.open_until is None:
            return True
        return now >= self.open_until and (self.probe_until is None or now >= self.probe_until)

    def wait_s(self, now: float) -> float:
        """How long until a call may be made, as far as that is known."""
        until = max(self.open_until or now, self.probe_until or now)
        return max(0.0, until - now)

    def begin(self, now: float, terms: BreakerTerms) -> bool:
        """A call is made. Returns whether it is the probe of a breaker that is half open."""
        if self.open_until is None:
            return False
        # A probe that is never heard of again shall not keep the others out for ever.
        self.probe_until = now + terms.cooldown_s
        return now >= self.open_until

    def abandon(self, now: float) -> bool:
        """A call ended without saying anything about the deployment. Returns whether the next one
        may be the probe now."""
        was_probed, self.probe_until = self.probe_until is not None, None
        return was_probed and self.open_until is not None and now >= self.open_until

    def succeed(self, now: float, terms: BreakerTerms, *, began: float) -> bool:
        """Returns whether that closed it. ``began`` is when the call was made."""
        self._roll(now, terms)
        self.good += 1
        if self.open_until is not None and began < self.opened_at and now < self.open_until:
            # What opened it came later.
            return False
        self.in_a_row = 0
        if self.open_until is None:
            return False
        self.close()
        return True

    def fail(self, now: float, terms: BreakerTerms) -> float | None:
        """Returns for how long it opened, if that opened it."""
        self._roll(now, terms)
        self.bad += 1
        self.in_a_row += 1
        if self.open_until is not None:
            if now < self.open_until:
                # A call that had begun before: nothing new.
                return None
            self.reopened = min(self.reopened + 1, MOST_DOUBLINGS)
        elif not self._is_too_much(terms):
            return None
        seconds: float = terms.cooldown_s * 2**self.reopened
        self.open_for(now, seconds)
        return seconds

    def open_for(self, now: float, seconds: float) -> None:
        self.opened_at = now
        self.open_until = now + seconds
        self.probe_until = None

    def leave_to_others(self, now: float, seconds: float) -> None:
        """Somebody else tries it. That is no failure: a call that was made already still counts."""
        self.open_until = now + seconds

    def close(self) -> None:
        self.open_until = self.probe_until = None
        self.in_a_row = self.good = self.bad = self.reopened = 0

    def is_forgettable(self, now: float, terms: BreakerTerms) -> bool:
        """Whether it knows nothing that still counts."""
        is_old = now - self.window_began > terms.window_s
        return self.open_until is None and self.in_a_row == 0 and (is_old or self.bad == 0)

    def _is_too_much(self, terms: BreakerTerms) -> bool:
        if not terms.cooldown_s:
            return False
        if terms.failures and self.in_a_row >= terms.failures:
            return True
        calls = self.good + self.bad
        share = terms.error_rate
        return share > 0 and calls >= terms.least_calls and self.bad >= share * calls

    def _roll(self, now: float, terms: BreakerTerms) -> None:
        if now - self.window_began > terms.window_s:
            self.window_began = now
            self.good = self.bad = 0
