"""How a command reaches the database without everything else that the container would start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.embedded_postgres.server import EmbeddedPostgres, running_server_url
from adapters.postgres.external import normalised_url
from entrypoints.settings import Settings


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The URL of the external database, of the embedded server that already runs, or of one that
    runs for as long as the block."""
    if settings.database_url is not None:
        yield normalised_url(settings.database_url)
        return
    running = running_server_url(settings.data_dir)
    if running is not None:
        yield running
        return
    server = EmbeddedPostgres(settings.data_dir)
    try:
        yield await server.start()
    finally:
        await server.stop()
