from collections.abc import Callable

from msgspec import Struct

from domain.models.served_model import Capability
from domain.shared.usage import NO_USAGE, Usage


class Asked(Struct, frozen=True, kw_only=True):
    """What the core must know of a request; the members are those of ``InvokeModelCommand``."""

    model: str
    stream: bool = False
    include_usage: bool = False
    max_output_tokens: int | None = None
    choices: int = 1
    attachments: int = 0
    offers_tools: bool = False
    asks_retrieval: bool = False
    needs: frozenset[Capability] = frozenset()
    prompt_bytes: int | None = None
    expected: Usage = NO_USAGE
    user: str | None = None


# Reads a body and its content type; raises ``InvalidError`` that names the parameter.
ReadRequest = Callable[[bytes, str], Asked]
