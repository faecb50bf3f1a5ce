"""What the data plane needs from outside to bound its callers."""

from typing import Protocol

from domain.inference.rate import Demand, Standings


class RateLimits(Protocol):
    """The counters of all limits, shared by all processes. Each moves on the counters' own clock,
    so that those of the processes need not agree."""

    async def take(self, demand: Demand) -> Standings:
        """Take one request, the tokens and a place for each subject of the demand: of all, or of
        none. Returns what remains. Raises ``RateLimitedError`` where there is not enough, and
        ``UnavailableError`` when the counters cannot be reached.

        Nothing stays taken when it raises or is cancelled, and a process that dies gives its
        places back.
        """
        ...

    def settle(self, demand: Demand, tokens: int | None) -> None:
        """What was taken has ended and used that many tokens (``None``: nobody knows, so that what
        was set aside stays spent). Never blocks and never fails."""
        ...

    def release(self, demand: Demand) -> None:
        """What was taken never happened: give it all back. Never blocks and never fails."""
        ...

    async def look(self, demand: Demand) -> Standings:
        """What remains, with nothing taken. Raises ``UnavailableError``."""
        ...
