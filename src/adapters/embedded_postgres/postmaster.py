import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from adapters.embedded_postgres.orphan import read_record
from domain.operations.errors import DatabaseServerError

_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.2
_LOOKS_PER_RECORD = 5
# Fast shutdown, immediate shutdown (the next start recovers), the end; with seconds to wait.
_WAYS_TO_STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_LOG_TAIL_BYTES = 16_384


def postgres_environment() -> dict[str, str]:
    """Ours without the variables that would redirect a Postgres program."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**inherited, "LC_ALL": "C", "TZ": "UTC"}


class Postmaster:
    """The server process, our child in a session of its own: Ctrl-C does not reach it."""

    def __init__(self, command: Sequence[str], *, cluster: Path, log: Path) -> None:
        self._cluster = cluster
        self._log = log
        if log.exists():
            log.replace(log.with_name(f"{log.name}.1"))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the words are ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env=postgres_environment(),
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait_until_ready(self, seconds: float) -> None:
        """Raises ``DatabaseServerError`` with the reason when the server gives up or is slow."""
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if not self._is_alive():
                raise DatabaseServerError(
                    f"The embedded Postgres did not start: {last_complaint(self._log)} "
                    f"(log: {self._log})"
                )
            if time.monotonic() > deadline:
                raise DatabaseServerError(
                    f"The embedded Postgres did not get ready in {seconds:g} seconds: "
                    f"{last_complaint(self._log)} (log: {self._log})"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def ended(self) -> int:
        """Returns the exit code, when there is one."""
        while True:
            record = read_record(self._cluster)
            if record is not None and record.pid == self.pid and record.stopping:
                # Somebody else has asked it to stop once all sessions have ended. Ours never do.
                self._process.send_signal(signal.SIGINT)
            for _ in range(_LOOKS_PER_RECORD):
                if not self._is_alive():
                    return self._process.returncode
                await asyncio.sleep(_WATCH_SECONDS)

    def last_complaint(self) -> str:
        return last_complaint(self._log)

    async def stop(self) -> None:
        await stop_process(self.pid, self._is_alive)

    def _is_ready(self) -> bool:
        record = read_record(self._cluster)
        return record is not None and record.pid == self.pid and record.ready

    def _is_alive(self) -> bool:
        return self._process.poll() is None


async def stop_process(pid: int, is_alive: Callable[[], bool]) -> None:
    """Ask politely, then less so."""
    for way, patience in _WAYS_TO_STOP:
        if is_alive():
            with suppress(ProcessLookupError):
                os.kill(pid, way)
        deadline = time.monotonic() + patience
        # An orphan is not our child: no event says that it has gone.
        while is_alive() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        if not is_alive():
            return
    raise DatabaseServerError(f"The embedded Postgres (process {pid}) cannot be stopped.")


def last_complaint(log: Path) -> str:
    """The last error in a log of Postgres, else its last line."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line]
    complaints = [line for line in lines if re.search(r"\b(PANIC|FATAL|ERROR|error):", line)]
    found = (complaints or lines or ["the log is empty"])[-1]
    return re.sub(r"^[-\d]+ [:.\d]+ \w+ \[\d+\] ", "", found).strip()
