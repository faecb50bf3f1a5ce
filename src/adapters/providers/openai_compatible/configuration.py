from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.openai_compatible.provider import OpenAICompatibleProvider
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatibleProviderDefinition(ProviderDefinition):
    """A server that speaks OpenAI's API."""

    name: str
    http: HttpConfiguration

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        return OpenAICompatibleProvider(
            name=self.name,
            base_url=self.http.base_url,
            api_key=self.http.api_key,
            headers=self.http.headers,
            timeouts=self.http.timeouts,
            transport=self.http.open_transport(),
        )


def _read(
    fields: ConfigurationFields, name: str, directory: Path
) -> OpenAICompatibleProviderDefinition:
    return OpenAICompatibleProviderDefinition(name=name, http=read_http(fields, directory))


OPENAI_COMPATIBLE = ProviderType(name="openai-compatible", keys=HTTP_KEYS, read=_read)
