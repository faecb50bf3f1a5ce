"""Whether two workers on two cores do twice the work of one worker on one core.

Load, mock and Postgres need processor time too. A second worker that got a core which they had to
themselves before would show what it takes from them. So one worker shares one core with all of
them, and two workers share two: each core carries the same.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.ledger_check import Sent
from bench.processes import cpu_seconds, pin
from bench.scenarios import THROUGHPUT, WARM_UP_S, Outcome, measure
from bench.targets import Target

CREWS = (1, 2)
AIM = 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewOutcome:
    """What some workers answered, and the part of a core that each of them used."""

    load: Outcome
    used: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The rounds by number of workers; none where there are fewer cores."""

    rounds: dict[int, list[CrewOutcome]] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Of each round by itself, since what else the machine does changes between them."""
        one, two = (self.rounds[crew] for crew in CREWS)
        pairs = zip(one, two, strict=True)
        return median(after.load.per_second / before.load.per_second for before, after in pairs)


def measure_scaling(
    start: Callable[[int], Target], mock: Target, sent: Sent, *, rounds: int, seconds: float
) -> Scaling:
    """One worker and two in turn, each a server started by ``start`` for that."""
    scaling = Scaling()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < max(CREWS):
        return scaling
    for _ in range(rounds):
        for crew in CREWS:
            outcome = _crew_outcome(start(crew), mock, sent, seconds, cores[:crew])
            scaling.rounds.setdefault(crew, []).append(outcome)
            used = " and ".join(f"{share:.0%}" for share in outcome.used)
            load = outcome.load
            print(
                f"{crew} with {used} of a core: {load.per_second:,.0f}/s {load.errors or ''}",
                flush=True,
            )
    return scaling


def scaling_lines(scaling: Scaling) -> Iterator[str]:
    yield "## Two processes"
    yield ""
    yield "`--workers 1` with the load, the mock and Postgres on one core, and `--workers 2` with"
    yield f"them on two. Everything on; {THROUGHPUT.connections} connections for each worker."
    yield ""
    yield "| workers | requests/s | part of a core each used | requests per CPU-s | p50 / p99 ms |"
    yield "|---|---|---|---|---|"
    for crew, rounds in scaling.rounds.items():
        used = " and ".join(f"{share:.0%}" for share in _typical_use(rounds))
        yield (
            f"| {crew} | {median(r.load.per_second for r in rounds):,.0f} | {used} | "
            f"{median(r.load.requests_per_cpu_s for r in rounds):,.0f} | "
            f"{median(r.load.latency_ms['p50'] for r in rounds):.1f} / "
            f"{median(r.load.latency_ms['p99'] for r in rounds):.1f} |"
        )
    yield ""
    yield f"Two workers answered **{scaling.ratio:.2f} x** what one did (aim: ≥ {AIM} x)."
    yield ""


def _crew_outcome(
    server: Target, mock: Target, sent: Sent, seconds: float, cores: list[int]
) -> CrewOutcome:
    """As many workers as cores, one on each, and everything else on all of them."""
    workers = server.workers
    load, only = THROUGHPUT.times(len(workers)), cores[0] if len(cores) == 1 else None
    pin([*server.database, *mock.own], *cores)
    for worker, core in zip(workers, cores, strict=True):
        pin([worker], core)
    try:
        for duration in (WARM_UP_S, seconds):
            before = [cpu_seconds([worker]) for worker in workers]
            outcome = measure(server, load, duration, only)
            sent.add(server, sent=outcome.sent, answered=outcome.succeeded)
        used = [cpu_seconds([worker]) - seen for worker, seen in zip(workers, before, strict=True)]
    finally:
        server.stop()
    return CrewOutcome(load=outcome, used=tuple(spent / outcome.elapsed_s for spent in used))


def _typical_use(rounds: list[CrewOutcome]) -> list[float]:
    return [median(shares) for shares in zip(*(outcome.used for outcome in rounds), strict=True)]
