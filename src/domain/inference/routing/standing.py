"""How deployments do, as far as one process sees it, and the orders that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from domain.inference.routing.candidate import Candidate
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import ServedModel
from domain.shared.usage import Usage

# The share of the newest in an average of latencies.
NEWEST = 0.3
# What was measured longer ago is unknown again: it may have recovered, or broken down.
STALE_S = 300.0
# What a deployment is taken for that failed before anybody knew how fast it is: it has been
# explored for now.
FAILED_MS = 60_000.0
# What an answer without a limit is taken for.
ASSUMED_OUTPUT_TOKENS = 256


@dataclass(slots=True)
class Latency:
    """A moving average."""

    average_ms: float | None = None
    measured_at: float = 0.0

    def measure(self, ms: float, now: float) -> None:
        if self.average_ms is None or now - self.measured_at > STALE_S:
            self.average_ms = ms
        else:
            self.average_ms += NEWEST * (ms - self.average_ms)
        self.measured_at = now

    def known(self, now: float) -> float | None:
        """``None`` if nothing is known that is worth anything now."""
        return None if now - self.measured_at > STALE_S else self.average_ms


@dataclass(slots=True)
class Standing:
    """``running`` counts the calls that the process makes of a deployment now. How long it takes to
    begin is known of streams by their first token; an answer in one piece begins when it is
    finished, so that these are compared with their like only."""

    running: int = 0
    streamed: Latency = field(default_factory=Latency)
    whole: Latency = field(default_factory=Latency)

    def measure(self, ms: float, now: float, *, is_stream: bool = True) -> None:
        self._of(is_stream=is_stream).measure(ms, now)

    def fail(self, now: float) -> None:
        for latency in (self.streamed, self.whole):
            if latency.known(now) is None:
                latency.measure(FAILED_MS, now)

    def latency(self, now: float, *, is_stream: bool = True) -> float | None:
        return self._of(is_stream=is_stream).known(now)

    def _of(self, *, is_stream: bool) -> Latency:
        return self.streamed if is_stream else self.whole


Known = tuple[Candidate, Standing]


def least_busy(known: Sequence[Known]) -> list[Candidate]:
    """By the calls that run there, relative to what it is there for."""
    return [one for one, _ in sorted(known, key=_load)]


def lowest_latency(
    known: Sequence[Known], now: float, *, is_stream: bool = True
) -> list[Candidate]:
    """The unknown first, one call at a time, so that all become known; then the fastest."""

    def place(item: Known) -> tuple[int, float]:
        latency = item[1].latency(now, is_stream=is_stream)
        if latency is None:
            return (0 if item[1].running == 0 else 2), 0.0
        return 1, latency

    return [one for one, _ in sorted(known, key=place)]


def lowest_cost(candidates: Sequence[Candidate], estimate: TokenEstimate) -> list[Candidate]:
    """Those without a price last: nobody knows what they cost."""
    return sorted(candidates, key=lambda one: price_place(one.model, estimate))


def price_place(model: ServedModel, estimate: TokenEstimate) -> tuple[bool, Decimal]:
    """Where a model stands in an order by price."""
    cost = expected_cost(model, estimate)
    return cost is None, cost or Decimal(0)


def expected_cost(model: ServedModel, estimate: TokenEstimate) -> Decimal | None:
    if model.prices is None:
        return None
    output = ASSUMED_OUTPUT_TOKENS if estimate.output is None else estimate.output
    return model.prices.cost(Usage(prompt_tokens=estimate.prompt, completion_tokens=output))


def _load(item: Known) -> tuple[bool, float]:
    candidate, standing = item
    # What has no share gets a call only where nothing else is left.
    return candidate.weight == 0, standing.running / max(candidate.weight, 1)
