from http import HTTPMethod

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
UNMATCHED = "unmatched"

_METHODS = frozenset(HTTPMethod)


class RequestMetrics:
    """Counts HTTP requests by route template, so that no client can invent a label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "stoa_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "stoa_http_request_duration_seconds",
            "Time from the request's head to the last byte of its answer.",
            ("method", "route"),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        streams = Gauge(
            "stoa_open_streams",
            "Server-sent event streams being answered.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.stream_opened = streams.inc
        self.stream_closed = streams.dec
        # Looking labels up by name costs more than counting, so each set of them is bound once.
        self._bound: dict[tuple[str, str | None, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """``route`` is ``None`` where no route matched."""
        bound = self._bound.get((method, route, status))
        if bound is None:
            bound = self._bind(method, route, status)
        bound[0].inc()
        bound[1].observe(seconds)

    def _bind(self, method: str, route: str | None, status: int) -> tuple[Counter, Histogram]:
        known = method if method in _METHODS else "OTHER"
        labels = (known, route or UNMATCHED)
        bound = (self._requests.labels(*labels, str(status)), self._seconds.labels(*labels))
        if known == method:
            self._bound[method, route, status] = bound
        return bound
