"""Run by Alembic: with a connection from `adapters.postgres.migrate`, or on its own command line
with one to STOA_DATABASE_URL."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from adapters.postgres.engine import make_engine
from adapters.postgres.migrations.comparison import target_metadata, without_partitions


def migrate(connection: Connection) -> None:
    include_name = without_partitions(connection)
    # Alembic leaves the commit to whoever has begun a transaction before it.
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        include_name=include_name,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_from_the_command_line() -> None:
    url = os.environ.get("STOA_DATABASE_URL")
    if not url:
        raise SystemExit("Set STOA_DATABASE_URL to the database that Alembic should work on.")
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(migrate_from_the_command_line())
