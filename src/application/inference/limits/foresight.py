"""Answers for counters that are elsewhere, as long as there can be no doubt what they would say.

A call that is far from all its limits does not wait: it is admitted on the last news, and counted
with the next batch. What is taken on the same news is bounded by a part of what remained, so that
one process is as strict as its counters, and several of them exceed a limit by that part at most.
"""

from collections.abc import Callable

from application.inference.limits.known_counter import FRESH_S, KnownCounter
from application.inference.limits.tally import CounterKey, Tally
from domain.identity.allowance import Limits
from domain.inference.rate import Demand, Limited, Spent, Standings

MAX_COUNTERS = 10_000


class Foresight:
    """The counters that this process asks, as it knows them, and what it has to tell them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counters: dict[CounterKey, KnownCounter] = {}
        self._changed: list[KnownCounter] = []
        self._forgot_at = float("-inf")
        self._frees_scarce_places = False

    def admit(self, demand: Demand) -> Standings | None:
        """Take what is demanded and return what remains, or ``None`` if only the counters know."""
        now = self._now()
        tokens = demand.tokens
        known: list[KnownCounter] = []
        for limited in demand.limited:
            counter = self._counters.get((demand.team_id, demand.purpose, limited.subject))
            if counter is None or not counter.is_far_from(limited, limited.reserved(tokens), now):
                return None
            known.append(counter)
        for limited, counter in zip(demand.limited, known, strict=True):
            self._tally_of(counter, limited).take(demand, limited)
        return Standings.of(
            [
                (limited.limits, counter.spent())
                for limited, counter in zip(demand.limited, known, strict=True)
            ]
        )

    def settle(self, demand: Demand, used: int | None) -> None:
        """What was taken has ended and used so many tokens, if anybody knows."""
        for limited in demand.limited:
            correction = limited.correction(demand.tokens, used)
            if correction or limited.limits.concurrency is not None:
                self._tally(demand, limited).settle(demand, limited, correction)
            self._free(demand, limited)

    def release(self, demand: Demand) -> None:
        """What was taken never happened."""
        for limited in demand.limited:
            self._tally(demand, limited).release(demand, limited)
            self._free(demand, limited)

    def ask_for(self, demand: Demand) -> None:
        """The demand waits for the counters."""
        for limited in demand.limited:
            self._counter(demand, limited).ask_for(demand, limited)

    def asked_for(self, demand: Demand) -> None:
        """The demand waits no more."""
        for limited in demand.limited:
            self._counter(demand, limited).ask_for(demand, limited, -1)

    @property
    def frees_scarce_places(self) -> bool:
        """Whether what is to be told should not linger: calls may wait for it elsewhere."""
        return self._frees_scarce_places

    @property
    def has_to_tell(self) -> bool:
        return bool(self._changed)

    def tell(self) -> list[Tally]:
        """What the counters do not know yet. Each has to be ``told`` in the end."""
        changed, self._changed = self._changed, []
        self._frees_scarce_places = False
        tallies: list[Tally] = []
        for counter in changed:
            tally, counter.tally = counter.tally, None
            if tally is not None and not tally.says_nothing:
                counter.tell(tally)
                tallies.append(tally)
        return tallies

    def told(self, tally: Tally) -> None:
        """The counter knows it, or never will."""
        counter = self._counters.get(tally.key)
        if counter is not None:
            counter.tell(tally, -1)

    def hear(self, key: CounterKey, limits: Limits, spent: Spent, asked_at: float) -> None:
        """What a counter said that was asked at that time."""
        self._known(key).hear(limits, spent, asked_at)

    def now(self) -> float:
        return self._now()

    def _free(self, demand: Demand, limited: Limited) -> None:
        if limited.limits.concurrency is not None:
            self._frees_scarce_places |= self._counter(demand, limited).places_are_scarce

    def _counter(self, demand: Demand, limited: Limited) -> KnownCounter:
        return self._known((demand.team_id, demand.purpose, limited.subject))

    def _known(self, key: CounterKey) -> KnownCounter:
        counter = self._counters.get(key)
        if counter is None:
            if len(self._counters) >= MAX_COUNTERS:
                self._forget()
            counter = self._counters[key] = KnownCounter(key)
        return counter

    def _forget(self) -> None:
        """Old news are none; what is still to be told, or on its way, is kept."""
        now = self._now()
        oldest = now - FRESH_S
        if self._forgot_at > oldest:
            return
        self._forgot_at = now
        self._counters = {
            key: counter
            for key, counter in self._counters.items()
            if counter.asked_at >= oldest or counter.is_busy
        }

    def _tally(self, demand: Demand, limited: Limited) -> Tally:
        return self._tally_of(self._counter(demand, limited), limited)

    def _tally_of(self, counter: KnownCounter, limited: Limited) -> Tally:
        if counter.tally is None:
            counter.tally = Tally(counter.key, limited.limits)
            self._changed.append(counter)
        return counter.tally
