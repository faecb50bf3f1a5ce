"""Several worker processes and one page of metrics."""

import os
import subprocess
import sys
from pathlib import Path

from adapters.http.metrics.workers import VARIABLE, forget_worker, shared_metrics

SRC = Path(__file__).parents[2] / "src"

WORKER = """
import os, sys
from adapters.http.metrics.exposition import Exposition
from adapters.http.metrics.requests import RequestMetrics

exposition = Exposition(version="1", ledger_backlog=lambda: 3)
metrics = RequestMetrics(exposition.registry)
metrics.count("GET", "/x", 200, 0.1)
metrics.stream_opened()
exposition.refresh()
if "show" in sys.argv:
    print(exposition.render("")[0].decode())
else:
    print(os.getpid())
"""


def worker(*arguments: str) -> str:
    command = [sys.executable, "-c", WORKER, *arguments]
    environment = os.environ | {"PYTHONPATH": str(SRC)}
    done = subprocess.run(  # noqa: S603 - our own command line
        command, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def test_one_worker_shows_the_sums_of_all_and_the_state_of_the_living() -> None:
    with shared_metrics() as directory:
        first = int(worker())
        forget_worker(first)
        shown = worker("show")

    assert 'stoa_http_requests_total{method="GET",route="/x",status="200"} 2.0' in shown
    assert "stoa_open_streams 1.0" in shown
    assert "stoa_ledger_backlog 3.0" in shown
    assert "stoa_build_info{" in shown
    assert not directory.exists()
    assert VARIABLE not in os.environ
