from typing import Any

import msgspec

from adapters.providers.json_reading import NOT_JSON


def flagged_answer(body: bytes) -> bytes:
    """OpenAI's clients ask each result whether it is ``flagged``, which Mistral leaves to its
    categories."""
    try:
        answer: Any = msgspec.json.decode(body)
        for result in answer["results"]:
            result.setdefault("flagged", any(result["categories"].values()))
    except (*NOT_JSON, KeyError, TypeError, AttributeError):
        # Of another shape than anything known: it is the client's business.
        return body
    return msgspec.json.encode(answer)
