from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.failures.mistral import mistral_failure
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.mistral.members import adapt
from adapters.providers.mistral.provider import MistralProvider
from adapters.providers.openai_compatible.provider import OpenAICompatibleProvider
from adapters.providers.translation.chat import speaking_chat
from application.inference.ports import ModelProvider, Operation
from domain.models.served_model import ServedModel

BASE_URL = "https://api.mistral.ai/v1"
OPERATIONS = frozenset(
    {Operation.CHAT, Operation.EMBEDDING, Operation.MODERATION, Operation.TRANSCRIPTION}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MistralProviderDefinition(ProviderDefinition):
    """Mistral's own API."""

    name: str
    http: HttpConfiguration

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        native = OpenAICompatibleProvider(
            name=self.name,
            base_url=self.http.base_url,
            api_key=self.http.api_key,
            headers=self.http.headers,
            timeouts=self.http.timeouts,
            transport=self.http.open_transport(),
            operations=OPERATIONS,
            # The last chunk of a stream tells the usage unasked, and asking is refused.
            stream_usage=False,
            adapt=adapt,
            parse=mistral_failure,
            request_id_header="mistral-correlation-id",
        )
        return speaking_chat(MistralProvider(native), surroundings)


def _read(fields: ConfigurationFields, name: str, directory: Path) -> MistralProviderDefinition:
    return MistralProviderDefinition(
        name=name, http=read_http(fields, directory, default_url=BASE_URL, needs_key=True)
    )


MISTRAL = ProviderType(name="mistral", keys=HTTP_KEYS, read=_read)
