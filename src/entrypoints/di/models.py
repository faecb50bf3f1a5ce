from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.catalog.definitions import (
    LoadedCatalog,
    LocalProviderDefinition,
    OpenAICompatibleProviderDefinition,
    ProviderDefinition,
)
from adapters.catalog.file_model_catalog import FileModelCatalog
from adapters.providers.openai_compatible.provider import OpenAICompatibleProvider
from adapters.providers.registry import ConfiguredProviders
from adapters.providers.scripted.provider import ScriptedProvider
from adapters.providers.transport.choice import TransportKind, choose_transport
from adapters.providers.transport.endpoint import Timeouts
from application.inference.ports import ModelProvider, ModelProviders
from application.models.ports import ModelCatalog
from application.shared.ports import Clock, IdGenerator
from domain.models.served_model import ServedModel
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
        built: dict[str, ModelProvider] = {}
        for definition in loaded.providers:
            models = tuple(m for m in loaded.models if m.provider == definition.name)
            built[definition.name] = _build(definition, models, settings, clock, ids)
        providers = ConfiguredProviders(built)
        await providers.start()
        yield providers
        await providers.stop()

    @provide
    def model_providers(self, providers: ConfiguredProviders) -> ModelProviders:
        return providers


def _build(
    definition: ProviderDefinition,
    models: tuple[ServedModel, ...],
    settings: Settings,
    clock: Clock,
    ids: IdGenerator,
) -> ModelProvider:
    """One line for each type of provider."""
    if isinstance(definition, LocalProviderDefinition):
        return _local(definition, models, settings, clock, ids)
    if isinstance(definition, OpenAICompatibleProviderDefinition):
        return _openai_compatible(definition)
    return ScriptedProvider(name=definition.name, models=models)


def _local(
    definition: LocalProviderDefinition,
    models: tuple[ServedModel, ...],
    settings: Settings,
    clock: Clock,
    ids: IdGenerator,
) -> ModelProvider:
    # numpy and llama.cpp are heavy, and a server without local models needs neither.
    from adapters.providers.local.provider import LocalProvider  # noqa: PLC0415

    return LocalProvider(
        definition.name,
        models,
        clock=clock,
        ids=ids,
        threads=settings.local_threads,
        queue_size=settings.local_queue_size,
    )


def _openai_compatible(definition: OpenAICompatibleProviderDefinition) -> ModelProvider:
    limits = definition.timeouts
    return OpenAICompatibleProvider(
        name=definition.name,
        base_url=definition.base_url,
        api_key=definition.api_key,
        headers=definition.headers,
        transport=choose_transport(
            kind=TransportKind(definition.transport) if definition.transport else None,
            proxy=definition.proxy,
            ca_file=definition.ca_file,
        ),
        timeouts=Timeouts(
            connect=limits.connect,
            first_byte=limits.first_byte,
            between_bytes=limits.between_bytes,
            total=limits.total,
        ),
    )
