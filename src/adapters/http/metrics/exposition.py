"""The metrics of this process, or of all workers of the machine, as Prometheus reads them.

With several workers, prometheus-client keeps every value in files of a directory that all of them
share. It decides so once, when it is imported, from ``PROMETHEUS_MULTIPROC_DIR``: the parent sets
that before it starts the workers (``adapters.http.metrics.workers``).
"""

import platform
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from adapters.http.metrics.workers import shared_directory
from application.operations.ports import StoreProbe


class Exposition:
    """All metrics of the server; the others register in ``registry``."""

    def __init__(
        self,
        *,
        version: str,
        ledger_backlog: Callable[[], int],
        breakers: Callable[[], Iterable[tuple[str, int]]] = tuple,
        limit_store: StoreProbe | None = None,
    ) -> None:
        """``breakers`` are the deployments with 0 for a closed breaker, 1 for a half-open and 2 for
        an open one."""
        self.registry = CollectorRegistry(auto_describe=True)
        self.shared = shared_directory() is not None
        if not self.shared:
            ProcessCollector(registry=self.registry)
        self._ledger_backlog = ledger_backlog
        self._backlog = Gauge(
            "stoa_ledger_backlog",
            "Ledger rows that are not durable yet.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._breakers = breakers
        self._breaker = Gauge(
            "stoa_deployment_breaker",
            "Whether a deployment is left alone since it fails: 0 no, 1 it is being tried, 2 yes.",
            ("deployment",),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._limit_store = limit_store
        self._limit_store_up = None if limit_store is None else self._gauge_of(limit_store)
        Gauge(
            "stoa_build_info",
            "Always 1; its labels say what runs.",
            ("version", "python"),
            registry=self.registry,
            multiprocess_mode="max",
        ).labels(version, platform.python_version()).set(1)

    def refresh(self) -> None:
        """Read the gauges. A worker does so now and then, since another may be asked for them."""
        self._backlog.set(self._ledger_backlog())
        for deployment, state in self._breakers():
            self._breaker.labels(deployment).set(state)
        if self._limit_store_up is not None and self._limit_store is not None:
            self._limit_store_up.set(int(self._limit_store.is_there is not False))

    def render(self, accept: str) -> tuple[bytes, str]:
        """The metrics and their content type, in the format that ``accept`` prefers."""
        self.refresh()
        registry = self.registry
        if self.shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    def _gauge_of(self, store: StoreProbe) -> Gauge:
        return Gauge(
            f"stoa_{store.name}_up",
            "Whether the store of limits was there when it was last looked at.",
            registry=self.registry,
            multiprocess_mode="livemin",
        )
