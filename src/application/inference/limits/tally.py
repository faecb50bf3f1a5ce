from uuid import UUID

from domain.identity.allowance import Limits, Subject
from domain.inference.rate import Demand, Limited, Purpose
from domain.shared.ids import TeamId

CounterKey = tuple[TeamId, Purpose, Subject]


class Tally:
    """What calls have taken of one counter and given back since it was last told, in one sum. It
    cannot be refused: it says what has happened.

    What is given back is kept apart from what is taken, since it must not make more room than the
    limit. A call that has begun and ended since is neither: only what it used is there.
    """

    __slots__ = (
        "_begun",
        "back_requests",
        "back_tokens",
        "freed",
        "key",
        "limits",
        "places",
        "requests",
        "tokens",
    )

    def __init__(self, key: CounterKey, limits: Limits) -> None:
        self.key = key
        self.limits = limits
        self.requests = 0
        self.tokens = 0
        self.back_requests = 0
        self.back_tokens = 0
        # Those of calls that run, and of such that have ended.
        self.places: set[UUID] = set()
        self.freed: list[UUID] = []
        self._begun: set[UUID] = set()

    @property
    def says_nothing(self) -> bool:
        """Whether the counter would be the same without it."""
        return not (
            self.requests
            or self.tokens
            or self.back_requests
            or self.back_tokens
            or self.places
            or self.freed
        )

    def take(self, demand: Demand, limited: Limited) -> None:
        limits = self.limits = limited.limits
        self._begun.add(demand.id)
        if limits.rpm is not None:
            self.requests += 1
        self.tokens += limited.reserved(demand.tokens)
        if limits.concurrency is not None:
            self.places.add(demand.id)

    def settle(self, demand: Demand, limited: Limited, tokens: int) -> None:
        """The demand has ended, and used so many tokens more than were set aside."""
        if tokens > 0 or demand.id in self._begun:
            self.tokens += tokens
        else:
            self.back_tokens -= tokens
        self._free(demand, limited)

    def release(self, demand: Demand, limited: Limited) -> None:
        requests = 0 if limited.limits.rpm is None else 1
        tokens = limited.reserved(demand.tokens)
        if demand.id in self._begun:
            self.requests -= requests
            self.tokens -= tokens
        else:
            self.back_requests += requests
            self.back_tokens += tokens
        self._free(demand, limited)

    def _free(self, demand: Demand, limited: Limited) -> None:
        if demand.id in self.places:
            self.places.remove(demand.id)
        elif limited.limits.concurrency is not None:
            self.freed.append(demand.id)
