"""Where the embedded server listens: a Unix socket that no other user can reach."""

import os
import re
import tempfile
from pathlib import Path
from urllib.parse import quote

ROLE = "stoa"
DATABASE = "stoa"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"

_TEMPORARY_PREFIX = "stoa-postgres-"
# The kernel takes 107 bytes (103 on macOS); the name of the socket itself is part of them.
_LONGEST_SOCKET_PATH = 100
# A driver splits hosts at commas and unquotes them twice; such paths are not worth the trouble.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")


def choose_socket_dir(cluster: Path) -> Path:
    """The cluster itself, or a private temporary directory if its path does not do."""
    if _fits(cluster):
        return cluster
    parent = Path(tempfile.gettempdir()).resolve()
    if not _fits(parent / f"{_TEMPORARY_PREFIX}xxxxxxxx"):
        parent = Path("/tmp")  # noqa: S108 - mkdtemp makes a directory of our own in it
    return Path(tempfile.mkdtemp(prefix=_TEMPORARY_PREFIX, dir=parent))


def is_temporary(socket_dir: Path) -> bool:
    return socket_dir.name.startswith(_TEMPORARY_PREFIX)


def url_of(socket_dir: Path, database: str = DATABASE) -> str:
    """The port is named so that PGPORT in the environment cannot change it."""
    return f"postgresql://{ROLE}@/{quote(database)}?host={quote(str(socket_dir))}&port={PORT}"


def _fits(socket_dir: Path) -> bool:
    path = socket_dir / SOCKET_NAME
    is_short = len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH
    return is_short and _PLAIN_PATH.fullmatch(str(path)) is not None
