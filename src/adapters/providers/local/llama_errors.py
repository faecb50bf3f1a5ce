"""llama.cpp's complaints as errors of ours."""

import re
from collections.abc import Mapping
from typing import Any

from domain.inference.errors import ContextLengthExceededError, ProviderFailedError
from domain.shared.errors import InvalidError, StoaError

BAD_REQUEST = 400
FIELD = re.compile(r"^Field '(?P<field>[\w.]+)':\s*(?:\[json\.exception\.[\w.]+\]\s*)?")
SCHEMA = re.compile(r"JSON schema error at (?P<place>\S+): (?P<problem>.*)", re.DOTALL)
TEMPLATE = re.compile(r"Error: (?:Jinja Exception: )?(?P<problem>[^\n]+)")
TOO_LARGE = re.compile(r"input \((?P<tokens>\d+) tokens\) is too large")


def too_long(limit: int, tokens: int, param: str) -> ContextLengthExceededError:
    """OpenAI's sentence, which clients are known to look for."""
    return ContextLengthExceededError(
        f"This model's maximum context length is {limit} tokens. However, your {param} resulted "
        f"in {tokens} tokens. Please reduce the length of the {param}.",
        param=param,
    )


def of_answer(error: Mapping[str, Any], *, param: str, schema_param: str, limit: int) -> StoaError:
    """``param`` is the member that holds the prompt, ``schema_param`` the one with the schema."""
    message = str(error.get("message", ""))
    if error.get("type") == "exceed_context_size_error":
        return too_long(int(error.get("n_ctx", limit)), int(error["n_prompt_tokens"]), param)
    if match := TOO_LARGE.search(message):
        return too_long(limit, int(match["tokens"]), param)
    if error.get("code") != BAD_REQUEST:
        return ProviderFailedError(f"The local model failed: {message}")
    if "grammar" in message:
        return InvalidError(
            "The JSON schema asks for more repetitions or rules than the local model can enforce.",
            param=schema_param,
        )
    if match := FIELD.match(message):
        return InvalidError(message[match.end() :], param=match["field"])
    return InvalidError(message, param=param)


def of_exception(error: Exception, *, param: str, schema_param: str) -> StoaError:
    """What a request raised before it reached the model: a wrong schema, or messages that the
    model's chat template refuses."""
    message = str(error)
    if match := SCHEMA.search(message):
        return InvalidError(
            f"Invalid JSON schema at {match['place']}: {match['problem']}", param=schema_param
        )
    if isinstance(error, RecursionError):
        return InvalidError("The request is nested too deeply.", param=schema_param)
    if match := TEMPLATE.search(message):
        message = match["problem"]
    return InvalidError(f"The local model cannot take this request: {message}", param=param)
