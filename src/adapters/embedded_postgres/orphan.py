"""A postmaster that outlived the Stoa that started it, and what it left in its lock file."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded_postgres.address import SOCKET_NAME, is_temporary

_LOCK_FILE = "postmaster.pid"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmasterRecord:
    """The lines of ``postmaster.pid`` that matter here."""

    pid: int
    socket_dir: Path | None
    ready: bool
    stopping: bool


def read_record(cluster: Path) -> PostmasterRecord | None:
    """What the cluster's lock file says, which may be of a process long gone."""
    try:
        lines = (cluster / _LOCK_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    # Postgres writes the file in steps, so any of its ends may be missing.
    if not lines or not lines[0].strip().isdigit():
        return None
    socket_dir = lines[4].strip() if len(lines) > 4 else ""  # noqa: PLR2004 - the fifth line
    status = lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004 - the eighth line
    return PostmasterRecord(
        pid=int(lines[0]),
        socket_dir=Path(socket_dir) if socket_dir else None,
        ready=status == "ready",
        stopping=status == "stopping",
    )


def runs_on(cluster: Path, pid: int) -> bool:
    """Whether the process is this cluster's postmaster, and not a later owner of its number."""
    return f" -D {cluster} " in _command_line(pid)


def disown(cluster: Path, *, keep: Path | None = None) -> None:
    """Clear the way for a new postmaster after the old one has gone; ``keep`` is the directory that
    its socket shall be in again.

    Postgres refuses to start while the process number in its lock files is alive, even if it is
    now somebody else's or a zombie's. It ignores its own parent's number, which is ours; the
    file stays, because with it Postgres checks that no old backend still has the memory mapped.
    """
    for folder in (cluster, keep or cluster):
        for remnant in (f"{SOCKET_NAME}.lock", SOCKET_NAME):
            (folder / remnant).unlink(missing_ok=True)
    path = cluster / _LOCK_FILE
    record = read_record(cluster)
    if record is None:
        # Empty: the disk was full, or the machine stopped, when it was written.
        path.unlink(missing_ok=True)
        return
    left = record.socket_dir
    if left is not None and left != keep and is_temporary(left):
        shutil.rmtree(left, ignore_errors=True)
    _, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([f"{os.getpid()}\n", *rest]), encoding="utf-8")


def _command_line(pid: int) -> str:
    if _PROC.is_dir():
        try:
            raw = (_PROC / str(pid) / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return os.fsdecode(raw.replace(b"\0", b" "))
    listing = subprocess.run(  # noqa: S603 - a number is all that varies
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout
