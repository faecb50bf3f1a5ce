from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.embedded_postgres.server import EmbeddedPostgres
from adapters.postgres.external import ExternalPostgres
from application.operations.ports import DatabaseServer
from entrypoints.database import DatabaseUrl
from entrypoints.reaching import database_url
from entrypoints.settings import Settings


class OwnDatabaseProvider(Provider):
    """The database server of a process that owns the data directory."""

    scope = Scope.APP

    @provide
    async def server(self, settings: Settings) -> AsyncIterable[DatabaseServer]:
        server: DatabaseServer
        if settings.database_url is None:
            server = EmbeddedPostgres(settings.data_dir)
        else:
            server = ExternalPostgres(settings.database_url)
        yield server
        await server.stop()

    @provide
    async def url(self, server: DatabaseServer) -> DatabaseUrl:
        return DatabaseUrl(await server.start())


class AttachedDatabaseProvider(Provider):
    """The database of a server that runs already, or one for the length of a command."""

    scope = Scope.APP

    @provide(override=True)
    async def url(self, settings: Settings) -> AsyncIterable[DatabaseUrl]:
        async with database_url(settings) as url:
            yield DatabaseUrl(url)
