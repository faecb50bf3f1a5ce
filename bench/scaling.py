"""Whether two workers do twice the work of one, on a machine of which they are a part only.

Load, mock and Postgres need a core too, so that on two cores a second worker would compete with
them and not show what it can do. Each worker is therefore given the same part of a core of its own:
it is the narrowest place with one worker and with two, and there is time left for everything else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.ledger_check import Sent
from bench.processes import cpu_seconds, pin
from bench.quota import limited
from bench.scenarios import THROUGHPUT, WARM_UP_S, Outcome, measure
from bench.targets import Target

SHARE = 0.3
CREWS = (1, 2)
AIM = 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewOutcome:
    """What some workers answered, and the part of a core that each of them used."""

    load: Outcome
    used: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The rounds by number of workers; none where no part of a core can be given."""

    rounds: dict[int, list[CrewOutcome]] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        one, two = (median(r.load.per_second for r in self.rounds[crew]) for crew in CREWS)
        return two / one


def measure_scaling(
    start: Callable[[int], Target], sent: Sent, *, rounds: int, seconds: float, cores: list[int]
) -> Scaling:
    """One worker and two in turn, each a server started by ``start`` for that."""
    scaling = Scaling()
    if len(cores) < max(CREWS):
        return scaling
    for _ in range(rounds):
        for crew in CREWS:
            outcome = _crew_outcome(start, crew, sent, seconds, cores)
            if outcome is None:
                return scaling
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
    yield f"`--workers 2` beside `--workers 1`, each worker with {SHARE:.0%} of a core of its own,"
    yield "so that on two cores load, mock and Postgres have what they need and the workers are the"
    yield f"narrowest place. Everything on; {THROUGHPUT.connections} connections for each worker."
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
    start: Callable[[int], Target], crew: int, sent: Sent, seconds: float, cores: list[int]
) -> CrewOutcome | None:
    server = start(crew)
    try:
        workers = server.workers
        for worker, core in zip(workers, cores, strict=False):
            pin([worker], core)
        with limited(workers, SHARE) as allowed:
            return _measured(server, workers, sent, seconds) if allowed else None
    finally:
        server.stop()


def _measured(server: Target, workers: list[int], sent: Sent, seconds: float) -> CrewOutcome:
    load = THROUGHPUT.times(len(workers))
    for duration in (WARM_UP_S, seconds):
        before = [cpu_seconds([worker]) for worker in workers]
        outcome = measure(server, load, duration, None)
        sent.add(server, sent=outcome.sent, answered=outcome.succeeded)
    used = [cpu_seconds([worker]) - seen for worker, seen in zip(workers, before, strict=True)]
    return CrewOutcome(load=outcome, used=tuple(spent / outcome.elapsed_s for spent in used))


def _typical_use(rounds: list[CrewOutcome]) -> list[float]:
    return [median(shares) for shares in zip(*(outcome.used for outcome in rounds), strict=True)]
