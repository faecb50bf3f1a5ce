"""The database on the way up: waiting for it, migrating it, keeping its partitions ahead."""

import asyncio
from typing import NewType

import structlog

from adapters.postgres.engine import connect, place_of
from adapters.postgres.errors import translated
from adapters.postgres.partitions import ensure_partitions, months_from
from adapters.postgres.schema_version import HEAD, schema_version
from adapters.system.clock import SystemClock
from domain.shared.errors import UnavailableError

DatabaseUrl = NewType("DatabaseUrl", str)

log = structlog.get_logger()

RETRY_S = 0.1


async def prepare_database(url: str, *, wait_s: float, migrates: bool = True) -> None:
    """Wait until the database is there and has the schema that this code needs.

    Raises ``UnavailableError`` with the driver's reason when it is not there in time, and
    ``DatabaseRefusedError`` at once when waiting would not help.
    """
    clock = SystemClock()
    deadline = clock.monotonic() + wait_s
    is_told = False
    while True:
        try:
            version = await schema_version(url)
            if version == HEAD:
                await keep_partitions(url)
                return
            if migrates:
                # Half a second of imports, for the starts that have something to migrate.
                from adapters.postgres.migrate import upgrade  # noqa: PLC0415

                await upgrade(url)
                log.info("database.migrated", before=version, revision=HEAD)
                return
            failure = UnavailableError("The database has not been migrated yet.")
        except UnavailableError as error:
            failure = error
        if clock.monotonic() > deadline:
            raise failure
        if migrates and not is_told:
            is_told = True
            log.warning("database.awaited", reason=failure.message, seconds=wait_s)
        await asyncio.sleep(RETRY_S)


async def keep_partitions(url: str) -> None:
    """Make sure that the ledger has its partitions for this month and the next ones."""
    with translated(place=place_of(url)):
        connection = await connect(url, purpose="partitions")
        try:
            await ensure_partitions(connection, months_from(SystemClock().now()))
        finally:
            await connection.close()
