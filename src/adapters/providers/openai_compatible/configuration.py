from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from adapters.dialects.openai_chat.dialect import (
    MAX_COMPLETION_TOKENS,
    MAX_TOKENS,
    OpenAIChat,
)
from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.openai_compatible.provider import OpenAICompatibleProvider
from adapters.providers.translation.chat import speaking_chat
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel

_OPENAI_HOSTS = (".openai.com", ".openai.azure.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatibleProviderDefinition(ProviderDefinition):
    """A server that speaks OpenAI's API."""

    name: str
    http: HttpConfiguration

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        provider = OpenAICompatibleProvider(
            name=self.name,
            base_url=self.http.base_url,
            api_key=self.http.api_key,
            headers=self.http.headers,
            timeouts=self.http.timeouts,
            transport=self.http.open_transport(),
        )
        return speaking_chat(provider, surroundings, dialect=_dialect(self.http.base_url))


def _dialect(base_url: str) -> OpenAIChat:
    """OpenAI's own models no longer know the name that all others know."""
    host = urlsplit(base_url).hostname or ""
    return OpenAIChat(MAX_COMPLETION_TOKENS if host.endswith(_OPENAI_HOSTS) else MAX_TOKENS)


def _read(
    fields: ConfigurationFields, name: str, directory: Path
) -> OpenAICompatibleProviderDefinition:
    return OpenAICompatibleProviderDefinition(name=name, http=read_http(fields, directory))


OPENAI_COMPATIBLE = ProviderType(name="openai-compatible", keys=HTTP_KEYS, read=_read)
