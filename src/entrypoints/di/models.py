from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.catalog.definitions import LoadedCatalog
from adapters.catalog.file_model_catalog import FileModelCatalog
from adapters.providers.definition import Surroundings
from adapters.providers.registry import ConfiguredProviders
from application.inference.ports import ModelProvider, ModelProviders
from application.models.ports import ModelCatalog
from application.shared.ports import Clock, IdGenerator
from entrypoints.settings import Settings


class ModelsProvider(Provider):
    """The catalog of the configuration and the providers that it names."""

    scope = Scope.APP

    @provide
    def catalog(self, loaded: LoadedCatalog) -> ModelCatalog:
        return FileModelCatalog(loaded)

    @provide
    async def providers(
        self, loaded: LoadedCatalog, settings: Settings, clock: Clock, ids: IdGenerator
    ) -> AsyncIterable[ConfiguredProviders]:
        surroundings = Surroundings(
            clock=clock,
            ids=ids,
            local_threads=settings.local_threads,
            local_queue_size=settings.local_queue_size,
        )
        built: dict[str, ModelProvider] = {}
        for definition in loaded.providers:
            models = tuple(m for m in loaded.models if m.provider == definition.name)
            built[definition.name] = definition.build(models, surroundings)
        providers = ConfiguredProviders(built)
        await providers.start()
        yield providers
        await providers.stop()

    @provide
    def model_providers(self, providers: ConfiguredProviders) -> ModelProviders:
        return providers
