"""The shapes that OpenAI and the servers that speak its dialect use for failures."""

from typing import Any

import msgspec

from adapters.providers.failures.failure import Failure, plain, word
from adapters.providers.json_reading import NOT_JSON

_TEXT_LIMIT = 300
_MESSAGE_LIMIT = 2000


def openai_failure(body: bytes) -> Failure:
    """A body of no known shape is taken as text, shortened."""
    try:
        said = msgspec.json.decode(body)
    except NOT_JSON:
        return Failure(plain(body.decode("utf-8", "replace"), _TEXT_LIMIT))
    if not isinstance(said, dict):
        return Failure(plain(str(said), _TEXT_LIMIT))
    error: Any = said.get("error") or said
    if not isinstance(error, dict):
        return Failure(plain(str(error), _MESSAGE_LIMIT))
    message = error.get("message") or error.get("detail") or ""
    return Failure(
        plain(message if isinstance(message, str) else str(message), _MESSAGE_LIMIT),
        word(error.get("type")),
        word(error.get("param")),
        word(error.get("code")),
    )
