"""The version of the schema that this code works with.

It stands here so that a start with an up-to-date database need not import Alembic, which costs half
a second; a test keeps it equal to Alembic's head.
"""

import asyncpg

from adapters.postgres.engine import connect, place_of
from adapters.postgres.errors import translated

HEAD = "2026_11_21_1570_lenders"


async def schema_version(database_url: str) -> str | None:
    """The version that the database has, or ``None`` when it is empty. Raises
    ``UnavailableError`` while the database is away, and ``DatabaseRefusedError`` when it does not
    let us in."""
    with translated(place=place_of(database_url)):
        connection = await connect(database_url, purpose="version")
        try:
            version: str | None = await connection.fetchval(
                "SELECT version_num FROM alembic_version"
            )
        except asyncpg.UndefinedTableError:
            return None
        finally:
            await connection.close()
        return version
