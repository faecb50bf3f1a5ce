"""OpenAI's legacy completion request as runs of a local model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.providers.local.chat_request import max_tokens
from adapters.providers.local.engine import GenerationCall
from adapters.providers.local.parameters import (
    MAX_CHOICES,
    flag,
    integer,
    refuse,
    sampling,
    with_seed,
)
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

REFUSED = frozenset({"suffix", "tools", "response_format"})
# OpenAI's defaults and limits.
DEFAULT_MAX_TOKENS = 16
MAX_LOGPROBS = 5
MAX_PROMPTS = 128
MAX_TOKEN = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionPlan:
    """``echoes`` holds for each choice what its text begins with."""

    calls: tuple[GenerationCall, ...]
    echoes: tuple[str, ...]
    top_logprobs: int | None


def read_completion(body: Mapping[str, Any], defaults: Mapping[str, object]) -> CompletionPlan:
    """Choices are numbered as OpenAI does: all of the first prompt, then all of the second."""
    refuse(body, REFUSED)
    prompts = _prompts(body.get("prompt"))
    count = integer(body, "n", 1, MAX_CHOICES) or 1
    best_of = integer(body, "best_of", 1, MAX_CHOICES)
    if best_of is not None and best_of != count:
        raise UnsupportedByModelError(
            "'best_of' other than 'n' is not supported with this model.", param="best_of"
        )
    top = integer(body, "logprobs", 0, MAX_LOGPROBS)
    echo = flag(body, "echo") is True
    _check_echo(prompts, echo=echo, logprobs=top is not None)
    request = {"max_tokens": max_tokens(body, "max_tokens") or DEFAULT_MAX_TOKENS}
    if top is not None:
        # With 0 alternatives llama.cpp reports no probabilities at all.
        request["logprobs"] = max(1, top)
    sampled = sampling(body, defaults)
    calls = tuple(
        GenerationCall(
            chat=False,
            body=request | with_seed(sampled, index) | {"prompt": prompt},
            prompt_param="prompt",
            counts_prompt=index == 0,
        )
        for prompt in prompts
        for index in range(count)
    )
    echoes = tuple(str(call.body["prompt"]) if echo else "" for call in calls)
    return CompletionPlan(calls=calls, echoes=echoes, top_logprobs=top)


def _check_echo(prompts: list[str | list[int]], *, echo: bool, logprobs: bool) -> None:
    if not echo:
        return
    if logprobs:
        raise UnsupportedByModelError(
            "'logprobs' of an echoed prompt are not supported with this model.", param="logprobs"
        )
    if any(not isinstance(prompt, str) for prompt in prompts):
        raise UnsupportedByModelError(
            "'echo' of a prompt of token ids is not supported with this model.", param="echo"
        )


def _prompts(prompt: object) -> list[str | list[int]]:
    if isinstance(prompt, str):
        found: list[Any] = [prompt]
    elif is_tokens(prompt):
        found = [prompt]
    elif isinstance(prompt, list) and len(prompt) <= MAX_PROMPTS:
        found = prompt
    else:
        found = []
    if not found or not all((isinstance(one, str) or is_tokens(one)) and one for one in found):
        raise InvalidError(
            "Invalid 'prompt': expected a non-empty string, an array of token ids, or an array of "
            f"at most {MAX_PROMPTS} of these.",
            param="prompt",
        )
    return found


def is_tokens(value: object) -> bool:
    """Ids of more than 31 bits are none; native code would cut them down to some other token."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(type(token) is int and -1 < token <= MAX_TOKEN for token in value)
    )
