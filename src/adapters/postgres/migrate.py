"""The schema's versions. Importing Alembic takes half a second, so this is the only module that
does, and whoever does not migrate does not import it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.engine import connect, make_engine, place_of
from adapters.postgres.errors import translated
from adapters.postgres.migrations.comparison import (
    check_constraint_drifts,
    describe,
    target_metadata,
    without_partitions,
)
from adapters.postgres.partitions import PARTITIONED, ensure_partitions, months_from
from domain.operations.errors import DatabaseInUseError, DatabaseTooNewError
from domain.shared.errors import InvalidError

_FOLDER = Path(__file__).with_name("migrations")
_LOCK = 0x53746F61_00000003
# Every server process holds a session of this name for as long as it lives.
_SERVERS = """
SELECT EXISTS (SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'stoa presence')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A version of the schema; ``title`` is the first line of what it says of itself."""

    id: str
    title: str


async def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the schema up to the revision, and give the ledger its partitions for now. Nodes that
    start at once wait for each other; the second finds nothing to do."""
    _check_known(revision)
    async with _locked(database_url) as connection:
        await connection.run_sync(_alembic, lambda config: command.upgrade(config, revision))
    await _provide_partitions(database_url)


async def downgrade(database_url: str, revision: str) -> None:
    """Go back to the revision (``base`` for an empty schema, ``-1`` for one step). Raises
    ``DatabaseInUseError`` while a server runs there."""
    _check_known(revision)
    async with _locked(database_url) as connection:
        if (await connection.exec_driver_sql(_SERVERS)).scalar():
            raise DatabaseInUseError
        await connection.commit()
        await connection.run_sync(_alembic, lambda config: command.downgrade(config, revision))


async def current(database_url: str) -> str | None:
    """The revision of the database, or ``None`` when it is empty."""
    async with _connection(database_url) as connection:
        return await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )


def history() -> tuple[Revision, ...]:
    """All revisions, newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(
        Revision(id=script.revision, title=(script.doc or "").partition("\n")[0])
        for script in scripts.walk_revisions()
    )


async def check(database_url: str) -> list[str]:
    """In which ways the database differs from what the code expects; empty when it does not."""
    async with _connection(database_url) as connection:
        return await connection.run_sync(_drifts)


async def _provide_partitions(database_url: str) -> None:
    """Make the ledger ready for this month and the next ones, by the database's clock."""
    with translated(place=place_of(database_url)):
        connection = await connect(database_url, purpose="partitions")
        try:
            if await connection.fetchval("SELECT to_regclass($1)", PARTITIONED[0]) is not None:
                await ensure_partitions(
                    connection, months_from(await connection.fetchval("SELECT now()"))
                )
        finally:
            await connection.close()


def _drifts(connection: Connection) -> list[str]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_name": without_partitions(connection),
            "compare_type": True,
            "compare_server_default": True,
        },
    )
    found = describe(compare_metadata(context, target_metadata))
    return [*found, *check_constraint_drifts(connection)]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _check_known(revision: str) -> None:
    if revision in {"head", "base"} or revision.lstrip("+-").isdigit():
        return
    known = [known.id for known in history()]
    if revision not in known:
        raise InvalidError(
            f"There is no revision '{revision}'; there are {', '.join(reversed(known))}.",
            param="revision",
        )


def _alembic(connection: Connection, run: Callable[[Config], None]) -> None:
    config = _config()
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in [known.id for known in history()]:
        raise DatabaseTooNewError(present)
    config.attributes["connection"] = connection
    try:
        run(config)
    except CommandError as error:
        raise InvalidError(f"That cannot be migrated to: {error}.", param="revision") from error


@asynccontextmanager
async def _connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    engine = make_engine(database_url, pool_size=1, max_overflow=0)
    try:
        with translated(place=place_of(database_url)):
            async with engine.connect() as connection:
                yield connection
    finally:
        await asyncio.shield(asyncio.ensure_future(engine.dispose()))


@asynccontextmanager
async def _locked(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A lock of the session: it spans the transactions of all migrations, and goes with the
    connection whatever happens."""
    async with _connection(database_url) as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
        await connection.commit()
        yield connection
