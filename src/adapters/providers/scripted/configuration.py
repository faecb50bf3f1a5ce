from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.scripted.provider import ScriptedProvider
from adapters.providers.translation.chat import speaking_chat
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedProviderDefinition(ProviderDefinition):
    """Deterministic answers, for tests and demonstrations."""

    name: str

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        return speaking_chat(
            ScriptedProvider(name=self.name, models=models), surroundings, tool_names=None
        )


def _read(_fields: ConfigurationFields, name: str, _directory: Path) -> ScriptedProviderDefinition:
    return ScriptedProviderDefinition(name=name)


SCRIPTED = ProviderType(name="scripted", keys=(), read=_read, runs_here=True, holds_models=True)
