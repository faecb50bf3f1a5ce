from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.openai_compatible.provider import (
    PASSED_OPERATIONS,
    OpenAICompatibleProvider,
)
from adapters.providers.openai_compatible.texts import TEXT_OPERATIONS
from adapters.providers.translation.chat import speaking_chat
from application.inference.ports import ModelProvider, Operation
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatibleProviderDefinition(ProviderDefinition):
    """A server that speaks OpenAI's API, in the ``operations`` that it offers. Without
    ``stream_usage`` it is not asked for the usage of streams, which is counted then."""

    name: str
    http: HttpConfiguration
    operations: frozenset[Operation] = TEXT_OPERATIONS
    stream_usage: bool = True

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        provider = OpenAICompatibleProvider(
            name=self.name,
            base_url=self.http.base_url,
            api_key=self.http.api_key,
            headers=self.http.headers,
            timeouts=self.http.timeouts,
            transport=self.http.open_transport(),
            operations=self.operations,
            stream_usage=self.stream_usage,
        )
        return speaking_chat(provider, surroundings, speaks=self.operations | {Operation.CHAT})


def _read(
    fields: ConfigurationFields, name: str, directory: Path
) -> OpenAICompatibleProviderDefinition:
    return OpenAICompatibleProviderDefinition(
        name=name,
        http=read_http(fields, directory),
        operations=_read_operations(fields),
        stream_usage=fields.flag("stream_usage") is not False,
    )


def _read_operations(fields: ConfigurationFields) -> frozenset[Operation]:
    given = fields.choices("operations", Operation)
    if given is None:
        return TEXT_OPERATIONS
    for operation in given:
        if operation not in PASSED_OPERATIONS:
            fields.note("operations", f"cannot list '{operation}', which is not OpenAI's")
    if not given:
        fields.note("operations", "must list at least one operation")
    return frozenset(given)


OPENAI_COMPATIBLE = ProviderType(
    name="openai-compatible", keys=(*HTTP_KEYS, "operations", "stream_usage"), read=_read
)
