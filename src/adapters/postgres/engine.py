from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

APPLICATION_NAME = "stoa"
_DEFAULT_PORT = 5432
_UNWILLING = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


async def connect(database_url: str, *, purpose: str = "", **settings: str) -> asyncpg.Connection:
    """A connection outside of any pool; ``settings`` are server settings. asyncpg reads the URL
    itself, so every form that libpq takes works, sockets (``?host=/directory``) included."""
    name = f"{APPLICATION_NAME} {purpose}".strip()
    return await asyncpg.connect(
        database_url, timeout=10, server_settings={"application_name": name, **settings}
    )


async def hang_up(connection: asyncpg.Connection) -> None:
    """Close it, or give it up where that cannot be done."""
    try:
        await connection.close(timeout=1)
    except _UNWILLING:
        connection.terminate()


def place_of(database_url: str) -> str:
    """Where that is, in words for operators: without the user's name and the password."""
    parts = urlsplit(database_url)
    socket_dir = parse_qs(parts.query).get("host", [""])[0]
    if parts.hostname is None and socket_dir:
        return socket_dir
    host = parts.hostname or "localhost"
    shown = f"[{host}]" if ":" in host else unquote(host)
    return f"{shown}:{parts.port or _DEFAULT_PORT}"


def make_engine(database_url: str, *, pool_size: int = 5, max_overflow: int = 5) -> AsyncEngine:
    """The pool of the management plane and of all readers. Connections are tried before they are
    used, so that a restart of the database costs no request."""

    async def connection() -> asyncpg.Connection:
        return await connect(database_url)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connection,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_pre_ping=True,
        # What was sent to the database is nothing for the log that an error ends up in.
        hide_parameters=True,
    )


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False)
