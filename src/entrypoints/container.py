"""The graph of everything, for the server, the command line and tests alike."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dishka import AsyncContainer, Provider, Scope, make_async_container

from adapters.catalog.catalog_file import load_catalog
from adapters.catalog.definitions import LoadedCatalog
from entrypoints.database import DatabaseUrl, prepare_database
from entrypoints.di.allowances import AllowancesProvider, counters_of_limits
from entrypoints.di.database import AttachedDatabaseProvider, OwnDatabaseProvider
from entrypoints.di.events import EventsProvider
from entrypoints.di.external_identity import ExternalIdentityProvider
from entrypoints.di.idempotency import IdempotencyProvider
from entrypoints.di.joining import JoiningProvider
from entrypoints.di.keeping import KeepingProvider
from entrypoints.di.mail import MailProvider
from entrypoints.di.models import ModelsProvider
from entrypoints.di.observation import ObservationProvider
from entrypoints.di.people import PeopleProvider
from entrypoints.di.postgres import PostgresProvider
from entrypoints.di.prices import PricesProvider
from entrypoints.di.records import RecordsProvider
from entrypoints.di.responses import ResponsesProvider
from entrypoints.di.routing import RoutingProvider
from entrypoints.di.system import SystemProvider
from entrypoints.di.use_cases import DataPlaneProvider, UseCaseProvider
from entrypoints.di.values import ValuesProvider
from entrypoints.runtime_environment import RuntimeEnvironment
from entrypoints.secret_key import with_secret_key
from entrypoints.settings import Settings
from entrypoints.settings_loading import LoadedSettings


def make_container(
    settings: Settings,
    catalog: LoadedCatalog,
    *overrides: Provider,
    environment: RuntimeEnvironment | None = None,
) -> AsyncContainer:
    """The container of a process. Nothing is started before it is asked for; closing the container
    stops what was. ``overrides`` replace what stands before them. ``environment`` is what the
    environment says of the runtime settings."""
    return make_async_container(
        ValuesProvider(settings, catalog, environment or RuntimeEnvironment({})),
        SystemProvider(),
        MailProvider(),
        OwnDatabaseProvider(),
        ObservationProvider(),
        PostgresProvider(),
        RecordsProvider(),
        EventsProvider(),
        PeopleProvider(),
        ExternalIdentityProvider(),
        JoiningProvider(),
        ModelsProvider(),
        PricesProvider(),
        AllowancesProvider(),
        counters_of_limits(settings),
        RoutingProvider(),
        KeepingProvider(),
        DataPlaneProvider(),
        ResponsesProvider(),
        IdempotencyProvider(),
        UseCaseProvider(),
        *overrides,
    )


@asynccontextmanager
async def open_container(loaded: LoadedSettings) -> AsyncIterator[AsyncContainer]:
    """A container for one command: it reaches the database of the server that runs, or starts the
    embedded one for as long as the command lasts."""
    catalog = load_catalog(loaded.settings.config, loaded.variables)
    container = make_container(
        with_secret_key(loaded.settings),
        catalog,
        AttachedDatabaseProvider(),
        environment=loaded.runtime,
    )
    try:
        url = await container.get(DatabaseUrl)
        await prepare_database(url, wait_s=loaded.settings.database_wait_seconds)
        async with container(scope=Scope.REQUEST) as request:
            yield request
    finally:
        await container.close()
