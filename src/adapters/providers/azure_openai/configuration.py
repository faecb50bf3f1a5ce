import re
from dataclasses import dataclass
from pathlib import Path

from adapters.dialects.openai_chat.dialect import MAX_COMPLETION_TOKENS, OpenAIChat
from adapters.providers.azure_openai.addresses import azure_addresses
from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.failures.azure import azure_failure
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.openai_compatible.provider import (
    PASSED_OPERATIONS,
    OpenAICompatibleProvider,
)
from adapters.providers.translation.chat import speaking_chat
from application.inference.ports import ModelProvider, Operation
from domain.models.served_model import ServedModel

_VERSION = re.compile(r"v1|preview|latest|\d{4}-\d{2}-\d{2}(-preview)?")
OPERATIONS = PASSED_OPERATIONS - {Operation.RERANK, Operation.MODERATION}


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureOpenAIProviderDefinition(ProviderDefinition):
    """OpenAI's models in a resource of Azure; the upstream name of a model is the name of its
    deployment. ``api_version`` is ``None`` for the API without versions (``/openai/v1``)."""

    name: str
    http: HttpConfiguration
    api_version: str | None = None

    @property
    def operations(self) -> frozenset[Operation]:
        """Responses are not among the addresses of deployments."""
        is_dated = self.api_version is not None and self.api_version[0].isdecimal()
        return OPERATIONS - {Operation.RESPONSES} if is_dated else OPERATIONS

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        key = self.http.api_key
        provider = OpenAICompatibleProvider(
            name=self.name,
            base_url=self.http.base_url,
            api_key=key,
            credentials={"api-key": key} if key else {},
            headers=self.http.headers,
            timeouts=self.http.timeouts,
            transport=self.http.open_transport(),
            address=azure_addresses(self.http.base_url, self.api_version),
            operations=self.operations,
            parse=azure_failure,
        )
        return speaking_chat(
            provider,
            surroundings,
            speaks=self.operations,
            dialect=OpenAIChat(MAX_COMPLETION_TOKENS),
        )


def _read(fields: ConfigurationFields, name: str, directory: Path) -> AzureOpenAIProviderDefinition:
    version = fields.text("api_version")
    if version is not None and not _VERSION.fullmatch(version):
        fields.note("api_version", "must be 'v1', 'preview', or a date such as 2024-10-21")
    return AzureOpenAIProviderDefinition(
        name=name, http=read_http(fields, directory), api_version=version
    )


AZURE_OPENAI = ProviderType(name="azure-openai", keys=(*HTTP_KEYS, "api_version"), read=_read)
