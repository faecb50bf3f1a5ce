"""A part of a core for each of some processes, as control groups give it (Linux, both versions)."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
# Short, so that a process with a part of a core is a slow one rather than one that stands still.
PERIOD_US = 10_000


@contextlib.contextmanager
def limited(pids: Iterable[int], share: float) -> Iterator[bool]:
    """Give each process ``share`` of a core's time and no more; says whether that is allowed."""
    made: list[Path] = []
    home = _own_group()
    try:
        yield home is not None and all(_limit(home, pid, share, made) for pid in pids)
    finally:
        for group in made:
            _dissolve(group)


def _own_group() -> Path | None:
    """Where this process may make groups that bound processor time."""
    first = GROUPS / "cpu"
    root = first if (first / "cgroup.procs").exists() else GROUPS
    return root if os.access(root / "cgroup.procs", os.W_OK) else None


def _limit(home: Path, pid: int, share: float, made: list[Path]) -> bool:
    group = home / f"stoa-bench-{pid}"
    quota = round(PERIOD_US * share)
    try:
        group.mkdir()
        made.append(group)
        if (group / "cpu.cfs_quota_us").exists():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        return False
    return True


def _dissolve(group: Path) -> None:
    """Its processes go back to where they were; a group that has some cannot be removed."""
    for pid in (group / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (group.parent / "cgroup.procs").write_text(pid)
    group.rmdir()
