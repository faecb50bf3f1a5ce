"""How deployments do, as far as one process sees it, and the orders that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
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
class Standing:
    """``running`` counts the calls that the process makes of a deployment now; ``ttft_ms`` is a
    moving average of its time to the first token."""

    running: int = 0
    ttft_ms: float | None = None
    measured_at: float = 0.0

    def measure(self, ttft_ms: float, now: float) -> None:
        if self.ttft_ms is None or now - self.measured_at > STALE_S:
            self.ttft_ms = ttft_ms
        else:
            self.ttft_ms += NEWEST * (ttft_ms - self.ttft_ms)
        self.measured_at = now

    def fail(self, now: float) -> None:
        if self.latency(now) is None:
            self.measure(FAILED_MS, now)

    def latency(self, now: float) -> float | None:
        """``None`` if nothing is known that is worth anything now."""
        return None if now - self.measured_at > STALE_S else self.ttft_ms


Known = tuple[Candidate, Standing]


def least_busy(known: Sequence[Known]) -> list[Candidate]:
    """By the calls that run there, relative to what it is there for."""
    return [one for one, _ in sorted(known, key=_load)]


def lowest_latency(known: Sequence[Known], now: float) -> list[Candidate]:
    """The unknown first, one call at a time, so that all become known; then the fastest."""

    def place(item: Known) -> tuple[int, float]:
        latency = item[1].latency(now)
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
