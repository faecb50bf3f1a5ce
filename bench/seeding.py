"""Fills a server's database, to see what a call costs where much has happened before."""

import asyncio
from pathlib import Path

import asyncpg

from adapters.embedded_postgres.server import running_server_url

CHUNK = 50_000
# Ids say in their first bits when they were made, and a month's partition is a range of them: only
# their ends differ.
_ID = "overlay(CAST(o.id AS text) placing lpad(to_hex(n), 12, '0') from 25)::uuid"
_NEW = {
    "calls": {"id": _ID},
    "api_keys": {
        "id": _ID,
        "name": "'seed ' || n",
        "secret_hash": "sha256(convert_to('seed ' || n, 'UTF8'))",
    },
}


def seed(data: Path, *, calls: int, keys: int) -> None:
    """Repeat a call and a key that are there, so many times."""
    url = running_server_url(data)
    if url is None:
        raise SystemExit("The server's Postgres cannot be found.")
    asyncio.run(_seed(url, {"api_keys": keys, "calls": calls}))


async def _seed(url: str, wanted: dict[str, int]) -> None:
    connection = await asyncpg.connect(url)
    try:
        # What is copied refers to what is there: nobody has to look that up a million times.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET synchronous_commit = off")
        for table, count in wanted.items():
            for first in range(1, count + 1, CHUNK):
                await _copy(connection, table, first, min(first + CHUNK - 1, count))
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()


async def _copy(connection: asyncpg.Connection, table: str, first: int, last: int) -> None:
    columns = [
        row["attname"]
        for row in await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = ''",
            table,
        )
    ]
    values = [_NEW[table].get(name, f"o.{name}") for name in columns]
    # ruff: noqa: S608 - the names are the database's own
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
        f" FROM (SELECT * FROM {table} LIMIT 1) AS o, generate_series({first}, {last}) AS n"
    )
