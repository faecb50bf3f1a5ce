import re
from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.google.provider import BASE_URL, GoogleProvider
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.translation.provider import TranslatingProvider
from application.inference.ports import ModelProvider, Operation
from domain.models.served_model import ServedModel

TOOL_NAMES = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleProviderDefinition(ProviderDefinition):
    """Google's Gemini API."""

    name: str
    http: HttpConfiguration

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        google = GoogleProvider(name=self.name, http=self.http)
        return TranslatingProvider(
            google,
            speaks=(Operation.COUNT_TOKENS,),
            generation=google,
            clock=surroundings.clock,
            ids=surroundings.ids,
            tool_names=TOOL_NAMES,
        )


def _read(fields: ConfigurationFields, name: str, directory: Path) -> GoogleProviderDefinition:
    http = read_http(fields, directory, default_url=BASE_URL, needs_key=True)
    return GoogleProviderDefinition(name=name, http=http)


GOOGLE = ProviderType(name="google", keys=HTTP_KEYS, read=_read)
