from collections.abc import AsyncIterable

from dishka import AnyOf, Provider, Scope, alias, provide

from adapters.catalog.definitions import LoadedCatalog
from adapters.catalog.file_model_catalog import FileModelCatalog
from adapters.catalog.registered import RegisteredConfigurations
from adapters.postgres.models.live_catalog import PostgresModelCatalog
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.providers.definition import Surroundings
from adapters.providers.identities import ProviderIdentities
from adapters.providers.live.registry_providers import AllProviders, RegistryProviders
from adapters.providers.registry import ConfiguredProviders
from application.inference.keeping.ports import Whereabouts
from application.inference.ports import ModelProvider, ModelProviders
from application.models.ports import ModelCatalog
from application.models.pricing.live_prices import LivePrices
from application.models.pricing.wanted_prices import WantedPrices
from application.models.registry.models.entries import ModelEntries
from application.models.registry.ports import (
    LiveRegistry,
    ProviderConfigurations,
    ProviderOffers,
    RegistryUnitOfWork,
)
from application.models.registry.providers.bounds import ProviderBounds
from application.models.registry.providers.entries import ProviderEntries
from application.models.registry.references import References
from application.models.registry.routes.entries import RouteEntries
from application.operations.ports import RuntimeSettings, SecretBox, ServedKinds
from application.operations.records.error_reporter import ErrorReporter
from application.shared.ports import Clock, IdGenerator
from domain.operations.model_settings import ALLOW_PRIVATE_PROVIDERS
from entrypoints.database import DatabaseUrl
from entrypoints.settings import Settings


class ModelsProvider(Provider):
    """The catalog, which is what teams have set up over what the configuration says, and the
    providers of both."""

    scope = Scope.APP

    catalog = alias(source=PostgresModelCatalog, provides=ModelCatalog)
    served_kinds = alias(source=PostgresModelCatalog, provides=ServedKinds)
    live_registry = alias(source=PostgresModelCatalog, provides=LiveRegistry)
    offers = alias(source=RegistryProviders, provides=ProviderOffers)
    references = provide(References)
    provider_bounds = provide(ProviderBounds)
    provider_entries = provide(ProviderEntries)
    model_entries = provide(ModelEntries)
    route_entries = provide(RouteEntries)
    wanted_prices = provide(WantedPrices)
    registry_unit_of_work = provide(
        PostgresUnitOfWork, provides=RegistryUnitOfWork, scope=Scope.REQUEST
    )

    @provide
    def configurations(self) -> ProviderConfigurations:
        return RegisteredConfigurations()

    @provide
    def surroundings(self, settings: Settings, clock: Clock, ids: IdGenerator) -> Surroundings:
        return Surroundings(
            clock=clock,
            ids=ids,
            local_threads=settings.local_threads,
            local_queue_size=settings.local_queue_size,
        )

    @provide
    async def registry_providers(
        self,
        surroundings: Surroundings,
        secrets: SecretBox,
        reporter: ErrorReporter,
        settings: RuntimeSettings,
    ) -> AsyncIterable[RegistryProviders]:
        providers = RegistryProviders(
            read=RegisteredConfigurations().definition,
            surroundings=surroundings,
            secrets=secrets,
            reporter=reporter,
            allows_private=lambda: settings.get(ALLOW_PRIVATE_PROVIDERS),
        )
        yield providers
        await providers.stop()

    @provide
    def identities(
        self, providers: RegistryProviders, loaded: LoadedCatalog
    ) -> AnyOf[ProviderIdentities, Whereabouts]:
        return ProviderIdentities(providers, loaded.providers)

    @provide
    async def live_catalog(
        self,
        url: DatabaseUrl,
        loaded: LoadedCatalog,
        providers: ProviderIdentities,
        configurations: ProviderConfigurations,
        prices: LivePrices,
    ) -> AsyncIterable[PostgresModelCatalog]:
        catalog = PostgresModelCatalog(
            url,
            FileModelCatalog(loaded),
            providers=providers,
            configurations=configurations,
            prices=prices,
        )
        await catalog.start()
        yield catalog
        await catalog.stop()

    @provide
    async def providers(
        self, loaded: LoadedCatalog, surroundings: Surroundings
    ) -> AsyncIterable[ConfiguredProviders]:
        built: dict[str, ModelProvider] = {}
        for definition in loaded.providers:
            models = tuple(m for m in loaded.models if m.provider == definition.name)
            built[definition.name] = definition.build(models, surroundings)
        providers = ConfiguredProviders(built)
        await providers.start()
        yield providers
        await providers.stop()

    @provide
    async def model_providers(
        self,
        configured: ConfiguredProviders,
        registered: RegistryProviders,
        _catalog: PostgresModelCatalog,
    ) -> ModelProviders:
        """With the catalog, which tells the registries' providers what there is."""
        await registered.start()
        return AllProviders(configured, registered)
