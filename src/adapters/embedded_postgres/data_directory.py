import fcntl
import os
import re
import secrets
import tempfile
from pathlib import Path

from domain.operations.errors import DataDirectoryError, DataDirectoryInUseError

_LOCK_NAME = "stoa.lock"
_SECRET_KEY_NAME = "secret_key"  # noqa: S105 - a file name
_SECRET_KEY_BYTES = 32


def unusable(data_dir: Path, error: OSError) -> DataDirectoryError:
    reason = error.strerror or str(error)
    return DataDirectoryError(
        f"The data directory {data_dir} cannot be used: {reason}. Give Stoa a directory that it "
        "may write (STOA_DATA_DIR).",
        param="STOA_DATA_DIR",
    )


def prepare_data_directory(data_dir: Path) -> Path:
    """Create the directory (mode 0700) if it is not there and return its real path.

    Raises ``DataDirectoryError`` when nothing can be written into it.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            return data_dir.resolve(strict=True)
    except OSError as error:
        raise unusable(data_dir, error) from error


class DataDirectoryLock:
    """One Stoa per data directory; the kernel releases the lock of a process that died."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises ``DataDirectoryInUseError``, naming the holder, without waiting for it."""
        path = self._data_dir / _LOCK_NAME
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable(self._data_dir, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise DataDirectoryInUseError(
                f"Another Stoa{f' (process {holder})' if holder else ''} runs on the data "
                f"directory {self._data_dir}. Stop it, or give this one another directory "
                "(STOA_DATA_DIR)."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two files of one name.
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def secret_key_file(data_dir: Path) -> Path:
    return data_dir / _SECRET_KEY_NAME


def secret_key(data_dir: Path) -> str:
    """The secret that this installation's other secrets are derived from, generated once.

    A damaged file is refused and never replaced: what was encrypted with it would be lost.
    """
    path = secret_key_file(prepare_data_directory(data_dir))
    try:
        if not path.exists():
            _write_once(path, secrets.token_hex(_SECRET_KEY_BYTES))
    except OSError as error:
        raise unusable(data_dir, error) from error
    return read_secret_key(data_dir)


def read_secret_key(data_dir: Path) -> str:
    """The key that was generated; raises ``DataDirectoryError`` if it is not there or damaged."""
    path = secret_key_file(data_dir)
    try:
        key = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise unusable(data_dir, error) from error
    if not re.fullmatch(f"[0-9a-f]{{{2 * _SECRET_KEY_BYTES}}}", key):
        raise DataDirectoryError(
            f"{path} does not hold the {2 * _SECRET_KEY_BYTES} hexadecimal digits that Stoa wrote "
            "there. Restore it from a backup; without it, stored secrets cannot be read."
        )
    return key


def _write_once(path: Path, text: str) -> None:
    """A reader sees the whole file or none, and of two writers the first one wins."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
