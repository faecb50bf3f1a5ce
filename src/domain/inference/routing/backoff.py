from domain.models.route import RetryPolicy

_MS = 1000


def pause_s(policy: RetryPolicy, failures: int, retry_after: float | None) -> float | None:
    """How long to wait at most before another attempt at a deployment that failed so often in this
    call; ``None`` if it asks for more patience than the policy has."""
    longest = policy.max_backoff_ms / _MS
    if retry_after is not None:
        return retry_after if retry_after <= longest else None
    doubled: float = policy.backoff_ms / _MS * 2 ** (failures - 1)
    return min(doubled, longest)
