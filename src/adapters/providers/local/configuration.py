from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.translation.chat import TranslatingHost
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProviderDefinition(ProviderDefinition):
    """Models that run in this process."""

    name: str

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        # What runs models is heavy, and a server without local models needs none of it.
        from adapters.providers.local.provider import LocalProvider  # noqa: PLC0415

        provider = LocalProvider(
            self.name,
            models,
            clock=surroundings.clock,
            ids=surroundings.ids,
            threads=surroundings.local_threads,
            queue_size=surroundings.local_queue_size,
        )
        return TranslatingHost(provider, provider, surroundings)


def _read(_fields: ConfigurationFields, name: str, _directory: Path) -> LocalProviderDefinition:
    return LocalProviderDefinition(name=name)


LOCAL = ProviderType(name="local", keys=(), read=_read, runs_here=True, holds_models=True)
