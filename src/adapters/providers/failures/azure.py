"""Azure's failures: OpenAI's, and what its content filter says of itself."""

from dataclasses import replace
from typing import Any

import msgspec

from adapters.providers.failures.failure import Failure
from adapters.providers.failures.openai import openai_failure
from adapters.providers.json_reading import NOT_JSON

_FILTERED = "content_filter"


def azure_failure(body: bytes) -> Failure:
    failure = openai_failure(body)
    if failure.code != _FILTERED:
        return failure
    categories = _filtered(body)
    if not categories:
        return failure
    return replace(failure, message=f"{failure.message} (Filtered: {', '.join(categories)}.)")


def _filtered(body: bytes) -> list[str]:
    """The categories that the content filter found something of."""
    try:
        found: Any = msgspec.json.decode(body)["error"]["innererror"]["content_filter_result"]
        return [name for name, result in found.items() if result.get("filtered") is True]
    except (*NOT_JSON, KeyError, TypeError, AttributeError):
        return []
