from dataclasses import dataclass, field
from uuid import UUID

from application.inference.allowance_ports import RateLimits
from domain.identity.allowance import Subject
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Purpose, Spent, Standings, worst_shortage
from domain.shared.ids import TeamId
from tests.fakes.gate import Gate

Counter = tuple[TeamId, Purpose, Subject]


@dataclass(slots=True)
class LimitCounters:
    """The counters of all processes; ``now`` is their clock."""

    now: float = 0.0
    spent: dict[Counter, tuple[Spent, float]] = field(default_factory=dict)
    slots: dict[Counter, dict[UUID, "InMemoryRateLimits"]] = field(default_factory=dict)


class InMemoryRateLimits(RateLimits):
    """The limits of one process; several share their counters by being given the same ones. The
    gate ``asked`` holds them up or makes them fail; what was done is in ``taken``, ``settled`` and
    ``released``."""

    def __init__(self, counters: LimitCounters | None = None) -> None:
        self.counters = counters or LimitCounters()
        self.asked = Gate()
        self.taken: list[Demand] = []
        self.settled: list[tuple[Demand, int | None]] = []
        self.released: list[Demand] = []
        self.alive = True

    async def take(self, demand: Demand) -> Standings:
        await self.asked.passed()
        states = self._states(demand)
        wanted = [one.reserved(demand.tokens) for one in demand.limited]
        for one, spent, tokens in zip(demand.limited, states, wanted, strict=True):
            if not spent.has_room(one.limits, tokens):
                raise RateLimitedError.short_of(
                    worst_shortage(demand, states), self._standings(demand)
                )
        self.taken.append(demand)
        self._move(demand, requests=1, tokens=wanted)
        for one in demand.limited:
            if one.limits.concurrency is not None:
                self._slots(demand, one.subject)[demand.id] = self
        return self._standings(demand)

    def settle(self, demand: Demand, tokens: int | None) -> None:
        self.settled.append((demand, tokens))
        corrections = [one.correction(demand.tokens, tokens) for one in demand.limited]
        self._move(demand, requests=0, tokens=corrections)
        self._free(demand)

    def release(self, demand: Demand) -> None:
        self.released.append(demand)
        self._move(
            demand, requests=-1, tokens=[-one.reserved(demand.tokens) for one in demand.limited]
        )
        self._free(demand)

    async def look(self, demand: Demand) -> Standings:
        await self.asked.passed()
        return self._standings(demand)

    def die(self) -> None:
        """Be a process that was killed."""
        self.alive = False

    def _states(self, demand: Demand) -> tuple[Spent, ...]:
        states = []
        for one in demand.limited:
            counter = demand.team_id, demand.purpose, one.subject
            spent, at = self.counters.spent.get(counter, (Spent(), self.counters.now))
            holders = self._slots(demand, one.subject).values()
            running = sum(holder.alive for holder in holders)
            spent = spent.grown_back(one.limits, self.counters.now - at)
            self.counters.spent[counter] = spent, self.counters.now
            states.append(Spent(requests=spent.requests, tokens=spent.tokens, running=running))
        return tuple(states)

    def _standings(self, demand: Demand) -> Standings:
        limits = [one.limits for one in demand.limited]
        return Standings.of(zip(limits, self._states(demand), strict=True))

    def _move(self, demand: Demand, *, requests: int, tokens: list[int]) -> None:
        for one, spent, moved in zip(demand.limited, self._states(demand), tokens, strict=True):
            after = spent.plus(requests=0 if one.limits.rpm is None else requests, tokens=moved)
            counter = demand.team_id, demand.purpose, one.subject
            self.counters.spent[counter] = after, self.counters.now

    def _free(self, demand: Demand) -> None:
        for one in demand.limited:
            self._slots(demand, one.subject).pop(demand.id, None)

    def _slots(self, demand: Demand, subject: Subject) -> dict[UUID, "InMemoryRateLimits"]:
        return self.counters.slots.setdefault((demand.team_id, demand.purpose, subject), {})
