import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_UN, flock
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10_000_000
BACKUPS = 3


class SharedRotatingFile(RotatingFileHandler):
    """A rotating log file that several processes may write to.

    The standard handler loses lines when two processes rotate at once. Here whoever rotates holds a
    lock file and looks again whether there is still something to rotate; the others notice that the
    file was replaced and open the new one.
    """

    def __init__(
        self, path: Path, *, max_bytes: int = MAX_BYTES, backup_count: int = BACKUPS
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_path = path.with_name(path.name + ".lock")
        super().__init__(path, maxBytes=max_bytes, backupCount=backup_count, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        self._follow()
        super().emit(record)

    def doRollover(self) -> None:  # noqa: N802 - the standard library's name
        with self._locked():
            if not self._follow():
                super().doRollover()

    def _follow(self) -> bool:
        """Open the present file if another process has rotated ours away."""
        stream = self.stream
        if stream is None:
            return False
        mine = os.fstat(stream.fileno())
        try:
            present = Path(self.baseFilename).stat()
            if (present.st_dev, present.st_ino) == (mine.st_dev, mine.st_ino):
                return False
        except FileNotFoundError:
            pass
        stream.close()
        self.stream = self._open()
        return True

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        with self._lock_path.open("ab") as lock:
            flock(lock, LOCK_EX)
            try:
                yield lock
            finally:
                flock(lock, LOCK_UN)
