"""What the makers of Bedrock's models do differently, told by the models' names."""

from enum import Enum

from domain.models.served_model import ServedModel

# What an operator may say of a model whose name is that of an inference profile.
FAMILY_OPTION = "family"


class Family(Enum):
    CLAUDE = "anthropic"
    NOVA = "nova"
    GPT = "openai"
    OTHER = "other"


_WORDS = {
    Family.CLAUDE: ("anthropic", "claude"),
    Family.NOVA: ("amazon.nova", "nova-"),
    Family.GPT: ("openai.", "gpt-oss"),
}
# These keep prompts where they are told to; others refuse to be told.
KEEPS_PROMPTS = frozenset({Family.CLAUDE, Family.NOVA})


def family_of(model: ServedModel) -> Family:
    said = model.options.get(FAMILY_OPTION)
    name = said if isinstance(said, str) else model.upstream_name
    for family, words in _WORDS.items():
        if name == family.value or any(word in name for word in words):
            return family
    return Family.OTHER
