from typing import NamedTuple

from domain.models.route import RetryPolicy

# The share of a pause that chance may take away, so that not all who failed together come back
# together, and what it adds where a provider said how long to wait.
JITTER = 0.5
LATER = 0.25
_MS = 1000


class Pause(NamedTuple):
    """A time to wait, between ``least_s`` and ``most_s``."""

    least_s: float
    most_s: float


def pause_before(policy: RetryPolicy, failures: int, retry_after: float | None) -> Pause | None:
    """How long to wait before another attempt at a deployment that failed so often in this call;
    ``None`` if it asks for more patience than the policy has. Nobody comes back earlier than a
    provider has asked for."""
    longest = policy.max_backoff_ms / _MS
    doubled = min(policy.backoff_ms / _MS * 2 ** (failures - 1), longest)
    if retry_after is None:
        return Pause(doubled * (1 - JITTER), doubled)
    if retry_after > longest:
        return None
    return Pause(max(retry_after, doubled * (1 - JITTER)), max(retry_after * (1 + LATER), doubled))
