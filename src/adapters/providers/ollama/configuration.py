import re
from dataclasses import dataclass
from pathlib import Path

from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.ollama.provider import BASE_URL, OllamaProvider
from adapters.providers.translation.forced_call import ForcingGeneration
from adapters.providers.translation.provider import TranslatingProvider
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel

_DURATION = re.compile(r"-1|0|(\d+(\.\d+)?(ms|s|m|h))+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaProviderDefinition(ProviderDefinition):
    """A server of Ollama. ``keep_alive`` is how long its models stay in memory after a call."""

    name: str
    http: HttpConfiguration
    keep_alive: str | int | None = None

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        ollama = OllamaProvider(name=self.name, http=self.http, keep_alive=self.keep_alive)
        return TranslatingProvider(
            ollama,
            speaks=(),
            generation=ForcingGeneration(ollama),
            clock=surroundings.clock,
            ids=surroundings.ids,
        )


def _read(fields: ConfigurationFields, name: str, directory: Path) -> OllamaProviderDefinition:
    keep_alive = fields.text("keep_alive")
    if keep_alive is not None and not _DURATION.fullmatch(keep_alive):
        fields.note("keep_alive", "must be a duration such as 30s, 10m or 1h, 0 or -1 for ever")
    http = read_http(fields, directory, default_url=BASE_URL)
    return OllamaProviderDefinition(name=name, http=http, keep_alive=_number_or_text(keep_alive))


def _number_or_text(keep_alive: str | None) -> str | int | None:
    """Ollama takes a text for a duration with a unit, and nothing else."""
    return int(keep_alive) if keep_alive in ("0", "-1") else keep_alive


OLLAMA = ProviderType(name="ollama", keys=(*HTTP_KEYS, "keep_alive"), read=_read)
