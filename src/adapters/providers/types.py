"""The types of providers that there are: one line for each folder."""

from adapters.providers.anthropic.configuration import ANTHROPIC
from adapters.providers.azure_openai.configuration import AZURE_OPENAI
from adapters.providers.bedrock.configuration import BEDROCK
from adapters.providers.cohere.configuration import COHERE
from adapters.providers.definition import ProviderType
from adapters.providers.google.configuration import GOOGLE
from adapters.providers.local.configuration import LOCAL
from adapters.providers.mistral.configuration import MISTRAL
from adapters.providers.ollama.configuration import OLLAMA
from adapters.providers.openai.configuration import OPENAI
from adapters.providers.openai_compatible.configuration import OPENAI_COMPATIBLE
from adapters.providers.scripted.configuration import SCRIPTED

PROVIDER_TYPES: dict[str, ProviderType] = {
    provider_type.name: provider_type
    for provider_type in (
        ANTHROPIC,
        AZURE_OPENAI,
        BEDROCK,
        COHERE,
        GOOGLE,
        LOCAL,
        MISTRAL,
        OLLAMA,
        OPENAI,
        OPENAI_COMPATIBLE,
        SCRIPTED,
    )
}
