from prometheus_client import CollectorRegistry, Counter

from domain.inference.call import Call


class RecallMetrics:
    """What the cache of answers is good for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes = Counter(
            "stoa_answer_cache",
            "Calls that the cache of answers was there for, by what came of it.",
            ("outcome",),
            registry=registry,
        )
        self._saved = Counter(
            "stoa_answer_cache_saved_usd",
            "What answers out of the cache would have cost in US dollars.",
            registry=registry,
        )

    def observe(self, call: Call) -> None:
        if call.cache is None:
            return
        self._outcomes.labels(call.cache).inc()
        if call.saved is not None:
            self._saved.inc(float(call.saved))
