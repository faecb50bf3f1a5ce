import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import asyncpg

from adapters.embedded_postgres.address import DATABASE, ROLE, url_of
from adapters.embedded_postgres.postmaster import postgres_environment
from adapters.embedded_postgres.privileges import hand_over
from adapters.embedded_postgres.tuning import initdb_options
from domain.operations.errors import DatabaseServerError

_MAINTENANCE_DATABASE = "postgres"


async def create_cluster(initdb: Path, cluster: Path, *, durable: bool) -> None:
    """Make an empty cluster: beside its place and then moved there, so that it is whole or absent.

    Raises ``DatabaseServerError`` with what ``initdb`` said.
    """
    draft = _new_draft(cluster)
    try:
        await _initialise(initdb, draft, durable=durable)
        _put_in_place(draft, cluster)
    except BaseException:
        # It may be what fills the disk.
        shutil.rmtree(draft, ignore_errors=True)
        raise


async def _initialise(initdb: Path, draft: Path, *, durable: bool) -> None:
    options = (f"--username={ROLE}", f"--pgdata={draft}", *initdb_options(durable=durable))
    process = await asyncio.create_subprocess_exec(
        *hand_over(draft),
        str(initdb),
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=postgres_environment(),
        cwd="/",
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise DatabaseServerError(f"The embedded Postgres was not created: {_reason(output)}")


async def ensure_database(socket_dir: Path) -> None:
    """The database and its ``vector`` extension, both made if they are not there."""
    try:
        connection = await asyncpg.connect(url_of(socket_dir))
    except asyncpg.InvalidCatalogNameError:
        await _create_database(socket_dir)
        connection = await asyncpg.connect(url_of(socket_dir))
    try:
        await connection.execute("SET client_min_messages = warning")
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        # A newer wheel may bring a newer pgvector than the one that made the database.
        await connection.execute("ALTER EXTENSION vector UPDATE")
    finally:
        await connection.close()


async def _create_database(socket_dir: Path) -> None:
    connection = await asyncpg.connect(url_of(socket_dir, _MAINTENANCE_DATABASE))
    try:
        await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()


def _new_draft(cluster: Path) -> Path:
    for left in cluster.parent.glob(f"{cluster.name}.new*"):
        shutil.rmtree(left, ignore_errors=True)
    # A new name each time: the initdb of a killed Stoa may still be writing under an old one.
    return Path(tempfile.mkdtemp(prefix=f"{cluster.name}.new-", dir=cluster.parent))


def _put_in_place(draft: Path, cluster: Path) -> None:
    draft.rename(cluster)
    descriptor = os.open(cluster.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(output: bytes) -> str:
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    complaints = [line for line in lines if "error:" in line or "FATAL:" in line]
    return (complaints or [line for line in lines if line] or ["initdb said nothing"])[-1]
