from dataclasses import dataclass
from pathlib import Path

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.anthropic.options import options_of
from adapters.providers.anthropic.provider import OPERATIONS, AnthropicProvider
from adapters.providers.definition import (
    ConfigurationFields,
    ProviderDefinition,
    ProviderType,
    Surroundings,
)
from adapters.providers.http_configuration import HTTP_KEYS, HttpConfiguration, read_http
from adapters.providers.translation.provider import TranslatingProvider
from adapters.providers.translation.tool_names import PLAIN_NAMES
from adapters.providers.translation.wire import WireGeneration
from application.inference.ports import ModelProvider, Operation
from domain.models.served_model import ServedModel

BASE_URL = "https://api.anthropic.com/v1"

# What coding agents switch on, and what costs nothing more than it would without: features with
# prices of their own are for the operator to let through.
BETAS = (
    "adaptive-thinking-*",
    "advanced-tool-use-*",
    "claude-code-*",
    "context-management-*",
    "effort-*",
    "extended-cache-ttl-*",
    "fine-grained-tool-streaming-*",
    "interleaved-thinking-*",
    "prompt-caching-*",
    "redact-thinking-*",
    "structured-outputs-*",
    "token-counting-*",
    "token-efficient-tools-*",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicProviderDefinition(ProviderDefinition):
    """Anthropic. ``betas`` are patterns of the features that clients may switch on."""

    name: str
    http: HttpConfiguration
    betas: tuple[str, ...] = BETAS

    def build(self, models: tuple[ServedModel, ...], surroundings: Surroundings) -> ModelProvider:
        for model in models:
            options_of(model)
        provider = AnthropicProvider(name=self.name, http=self.http, betas=self.betas)
        return TranslatingProvider(
            provider,
            speaks=OPERATIONS,
            generation=WireGeneration(
                provider=provider, operation=Operation.MESSAGES, dialect=Anthropic()
            ),
            clock=surroundings.clock,
            ids=surroundings.ids,
            tool_names=PLAIN_NAMES,
        )


def _read(fields: ConfigurationFields, name: str, directory: Path) -> AnthropicProviderDefinition:
    betas = fields.text("betas")
    return AnthropicProviderDefinition(
        name=name,
        http=read_http(fields, directory, default_url=BASE_URL, needs_key=True),
        betas=BETAS if betas is None else tuple(betas.replace(",", " ").split()),
    )


ANTHROPIC = ProviderType(name="anthropic", keys=(*HTTP_KEYS, "betas"), read=_read)
