"""What the kernel says of processes: their processor time, memory and places (Linux)."""

import contextlib
import os
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """The process and everything below it."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, []))
    return found


def is_postgres(pid: int) -> bool:
    try:
        return (PROC / str(pid) / "comm").read_text().strip() == "postgres"
    except OSError:
        return False


def command_line(pid: int) -> bytes:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far, with that of children that have ended."""
    total = 0
    for pid in pids:
        if fields := _stat(pid):
            total += sum(int(ticks) for ticks in fields[11:15])
    return total / TICKS


def memory_mib(pids: Iterable[int]) -> float:
    """Proportional set size: shared pages are divided among those who share them."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def pin(pids: Iterable[int], *cores: int | None) -> None:
    """Keep every thread of the processes, and what they start later, on these cores."""
    places = {core for core in cores if core is not None}
    if not places:
        return
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in (PROC / str(pid) / "task").iterdir():
                os.sched_setaffinity(int(task.name), places)


@contextlib.contextmanager
def ahead(pids: Iterable[int]) -> Iterator[None]:
    """Let the processes go first wherever they share a core, if that is allowed.

    The mock and the load stand for other machines: without this they would wait for the core while
    Postgres has it, and that would be measured as the server's latency.
    """
    changed = [pid for pid in pids if _schedule(pid, os.SCHED_FIFO, 1)]
    try:
        yield
    finally:
        for pid in changed:
            _schedule(pid, os.SCHED_OTHER, 0)


def may_go_ahead() -> bool:
    """Whether this process may give any of its children precedence."""
    if not _schedule(0, os.SCHED_FIFO, 1):
        return False
    _schedule(0, os.SCHED_OTHER, 0)
    return True


def two_cores() -> tuple[int | None, int | None]:
    """One core for what is measured and one for everything else, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


def machine() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in (PROC / "cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = int((PROC / "meminfo").read_text().split()[1]) / 1024**2
    name = models[0] if models else platform.machine()
    return f"{os.cpu_count()} x {name}, {memory:.0f} GiB, Linux {platform.release()}"


def _stat(pid: int) -> list[str]:
    """The fields after the name, from the state on; empty when the process is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _schedule(pid: int, policy: int, priority: int) -> bool:
    try:
        os.sched_setscheduler(pid, policy, os.sched_param(priority))
    except OSError:
        return False
    return True
