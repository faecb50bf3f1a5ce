"""What a deployment of Anthropic's format may be told in its ``options``."""

from typing import Literal

import msgspec

from domain.models.served_model import ServedModel
from domain.shared.errors import InvalidError


class AnthropicOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``thinking`` is ``budget`` for older models, which are told a number of tokens and know
    neither an effort nor how to choose an amount by themselves; without it, the model's name
    decides. ``prompt_cache`` has prompts kept for so long whose clients cannot ask for it, because
    their format has no word for that."""

    thinking: Literal["adaptive", "budget"] | None = None
    prompt_cache: Literal["5m", "1h"] | None = None


def options_of(model: ServedModel) -> AnthropicOptions:
    """Raises ``InvalidError`` for unknown names and wrong values."""
    try:
        return msgspec.convert(dict(model.options), AnthropicOptions)
    except msgspec.ValidationError as error:
        raise InvalidError(
            f"options of the model '{model.name}': {error}", param="options"
        ) from error
