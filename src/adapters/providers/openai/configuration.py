from dataclasses import dataclass
from pathlib import Path

from adapters.dialects.openai_chat.dialect import MAX_COMPLETION_TOKENS, OpenAIChat
from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.http_configuration import (
    HTTP_KEYS,
    HttpConfiguration,
    read_http,
    read_secret,
)
from adapters.providers.openai_compatible.provider import (
    PASSED_OPERATIONS,
    OpenAICompatibleProvider,
)
from adapters.providers.translation.chat import speaking_chat
from application.inference.ports import ModelProvider, Operation
from domain.models.served_model import ServedModel

BASE_URL = "https://api.openai.com/v1"
# OpenAI has no reranking.
OPERATIONS = PASSED_OPERATIONS - {Operation.RERANK}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIProviderDefinition(ProviderDefinition):
    """OpenAI itself. ``organization`` and ``project`` are what calls are billed to, for keys that
    belong to more than one."""

    name: str
    http: HttpConfiguration
    organization: str | None = None
    project: str | None = None

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        billed = {"openai-organization": self.organization, "openai-project": self.project}
        provider = OpenAICompatibleProvider(
            name=self.name,
            base_url=self.http.base_url,
            api_key=self.http.api_key,
            headers={**{n: v for n, v in billed.items() if v}, **self.http.headers},
            timeouts=self.http.timeouts,
            transport=self.http.open_transport(),
            operations=OPERATIONS,
        )
        return speaking_chat(
            provider, surroundings, speaks=OPERATIONS, dialect=OpenAIChat(MAX_COMPLETION_TOKENS)
        )


def _read(fields: ConfigurationFields, name: str, directory: Path) -> OpenAIProviderDefinition:
    return OpenAIProviderDefinition(
        name=name,
        http=read_http(fields, directory, default_url=BASE_URL, needs_key=True),
        organization=read_secret(fields, "organization"),
        project=read_secret(fields, "project"),
    )


OPENAI = ProviderType(name="openai", keys=(*HTTP_KEYS, "organization", "project"), read=_read)
