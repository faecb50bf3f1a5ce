from application.inference.limits.tally import CounterKey, Tally
from domain.identity.allowance import Limits
from domain.inference.rate import Demand, Limited, Spent

FRESH_S = 1.0
# Of what remained, this part may be taken before the counter confirms it.
SHARE = 16


class KnownCounter:
    """A counter as this process knows it: what it said last, and what was taken since that is not
    confirmed yet, be it on its way or still to be told."""

    __slots__ = (
        "_flights",
        "_heard",
        "_limits",
        "_out_requests",
        "_out_running",
        "_out_tokens",
        "asked_at",
        "key",
        "tally",
    )

    def __init__(self, key: CounterKey) -> None:
        self.key = key
        self.asked_at = float("-inf")
        self.tally: Tally | None = None
        self._limits: Limits | None = None
        self._heard = Spent()
        self._flights = 0
        self._out_requests = 0
        self._out_tokens = 0
        self._out_running = 0

    def hear(self, limits: Limits, spent: Spent, asked_at: float) -> None:
        """What the counter said when it was asked; what it says of other limits is no news."""
        self._limits = limits
        self._heard = spent
        self.asked_at = asked_at

    def is_far_from(self, limited: Limited, tokens: int, now: float) -> bool:
        """Whether one more call of so many tokens is next to nothing of what remains."""
        limits = limited.limits
        if now - self.asked_at > FRESH_S or not (limits is self._limits or limits == self._limits):
            return False
        heard, tally = self._heard, self.tally
        requests, wanted, running = self._out_requests + 1, self._out_tokens + tokens, 0
        if tally is not None:
            requests += tally.requests
            wanted += tally.tokens
            running = len(tally.places)
        if limits.rpm is not None and requests * SHARE > limits.rpm - heard.requests:
            return False
        if limits.tpm is not None and wanted * SHARE > limits.tpm - heard.tokens:
            return False
        places = limits.concurrency
        running += self._out_running + 1
        return places is None or running * SHARE <= places - heard.running

    def spent(self) -> Spent:
        """With what is not confirmed."""
        heard, tally = self._heard, self.tally
        requests, tokens = heard.requests + self._out_requests, heard.tokens + self._out_tokens
        if tally is not None:
            requests += tally.requests
            tokens += tally.tokens
        return Spent(requests=requests, tokens=tokens, running=heard.running)

    def ask_for(self, demand: Demand, limited: Limited, sign: int = 1) -> None:
        """The demand waits for the counter's answer; with a sign of -1, it waits no more."""
        limits = limited.limits
        self._flights += sign
        if limits.rpm is not None:
            self._out_requests += sign
        self._out_tokens += sign * limited.reserved(demand.tokens)
        if limits.concurrency is not None:
            self._out_running += sign

    def tell(self, tally: Tally, sign: int = 1) -> None:
        """The tally is on its way; with a sign of -1, it has arrived or is lost."""
        self._flights += sign
        self._out_requests += sign * tally.requests
        self._out_tokens += sign * tally.tokens
        self._out_running += sign * len(tally.places)

    @property
    def places_are_scarce(self) -> bool:
        """Whether somebody elsewhere may wait for a place, as far as is known."""
        places = None if self._limits is None else self._limits.concurrency
        return places is not None and self._heard.running * 2 >= places

    @property
    def is_busy(self) -> bool:
        """Whether something is to be told, or on its way."""
        return self.tally is not None or self._flights > 0
