"""Sharing metrics among worker processes; imports nothing that reads the environment too early.

The parent process does, in this order::

    with shared_metrics():
        ...  # start the workers, which inherit the environment, and wait for them
        forget_worker(pid)  # for each worker that ended

Single-process servers do none of it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def shared_directory() -> Path | None:
    """Where the workers keep their metrics, or ``None`` in a single process."""
    directory = os.environ.get(VARIABLE)
    return Path(directory) if directory else None


@contextmanager
def shared_metrics() -> Iterator[Path]:
    """A fresh directory, so that the counts of an earlier run never mix in, known to every process
    that is started inside the block."""
    with TemporaryDirectory(prefix="stoa-metrics-") as directory:
        os.environ[VARIABLE] = directory
        try:
            yield Path(directory)
        finally:
            del os.environ[VARIABLE]


def forget_worker(pid: int) -> None:
    """Drop what only counts while the worker lives (open streams, backlog); its sums stay."""
    directory = shared_directory()
    if directory is not None:
        for file in directory.glob(f"gauge_live*_{pid}.db"):
            file.unlink(missing_ok=True)
