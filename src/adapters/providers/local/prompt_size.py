"""Prompts that cannot fit are refused by their length, before native code works through them for
minutes without a chance to stop it."""

from collections.abc import Iterable

from domain.inference.errors import ContextLengthExceededError

# Text has four or five characters to a token; only runs of spaces and the like come near this.
CHARACTERS_PER_TOKEN = 256


def check_characters(texts: Iterable[str], *, limit: int, param: str) -> None:
    """``limit`` is the model's context in tokens."""
    characters = sum(map(len, texts))
    if characters > limit * CHARACTERS_PER_TOKEN:
        raise _too_long(limit, f"{characters} characters", param)


def check_count(count: int, *, limit: int, param: str) -> None:
    """For parts of a prompt that are one token each at least."""
    if count > limit:
        raise _too_long(limit, f"{count} parts", param)


def _too_long(limit: int, size: str, param: str) -> ContextLengthExceededError:
    return ContextLengthExceededError(
        f"This model's maximum context length is {limit} tokens. However, your {param} has {size}. "
        f"Please reduce the length of the {param}.",
        param=param,
    )
