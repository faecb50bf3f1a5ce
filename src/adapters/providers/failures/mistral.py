"""Mistral's failures: OpenAI's shape, but for those of validation, which are a list of places."""

from dataclasses import replace
from typing import Any

import msgspec

from adapters.providers.failures.failure import Failure, plain, word
from adapters.providers.failures.openai import openai_failure
from adapters.providers.json_reading import NOT_JSON

_MESSAGE_LIMIT = 2000


def mistral_failure(body: bytes) -> Failure:
    failure = openai_failure(body)
    problems = _problems(body)
    if not problems:
        return failure
    message = "; ".join(f"{place}: {what}" if place else what for place, what in problems)
    return replace(
        failure,
        message=plain(message, _MESSAGE_LIMIT),
        param=failure.param or word(problems[0][0]),
    )


def _problems(body: bytes) -> list[tuple[str, str]]:
    """What is wrong and where, as its validation lists it."""
    try:
        said: Any = msgspec.json.decode(body)
        message: Any = said.get("message")
        listed: Any = message["detail"] if isinstance(message, dict) else message or said["detail"]
        return [
            (".".join(str(step) for step in one["loc"] if step != "body"), str(one["msg"]))
            for one in listed
        ]
    except (*NOT_JSON, KeyError, TypeError, AttributeError):
        return []
