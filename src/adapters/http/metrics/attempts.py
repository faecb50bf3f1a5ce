from prometheus_client import CollectorRegistry, Counter

from application.inference.call_in_flight import SUCCEEDED
from domain.inference.call import Call, CallStatus

UNKNOWN = "unknown"


class AttemptMetrics:
    """How calls fare at deployments."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "stoa_attempts",
            "Tries at deployments, by how they ended.",
            ("deployment", "outcome"),
            registry=registry,
        )
        self._fallbacks = Counter(
            "stoa_fallbacks",
            "Calls that were answered by another deployment than the first that was asked.",
            ("model",),
            registry=registry,
        )

    def succeeded(self, deployment: str | None) -> Counter:
        """What counts the only attempt of a call that went well."""
        return self._attempts.labels(deployment or UNKNOWN, SUCCEEDED)

    def observe(self, call: Call, model: str) -> None:
        """For all other calls that asked a deployment."""
        if not call.attempts:
            self._attempts.labels(call.deployment, call.error_code or UNKNOWN).inc()
            return
        for attempt in call.attempts:
            self._attempts.labels(attempt.deployment, attempt.outcome).inc()
        if call.status is CallStatus.SUCCEEDED and call.attempts[0].deployment != call.deployment:
            self._fallbacks.labels(model).inc()
