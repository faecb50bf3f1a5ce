"""OpenAI's chat completion request as runs of a local model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.providers.local import json_schema
from adapters.providers.local.chat_messages import plain_messages
from adapters.providers.local.engine import GenerationCall
from adapters.providers.local.parameters import (
    MAX_CHOICES,
    flag,
    integer,
    refuse,
    sampling,
    with_seed,
)
from adapters.providers.local.tools import ToolPlan, read_plan
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

REFUSED = frozenset({"functions", "function_call", "audio", "web_search_options"})
MAX_TOP_LOGPROBS = 20
MAX_TOKENS = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPlan:
    """``top_logprobs`` is ``None`` where no log probabilities are wanted."""

    calls: tuple[GenerationCall, ...]
    tools: ToolPlan | None
    top_logprobs: int | None


def read_chat(body: Mapping[str, Any], defaults: Mapping[str, object]) -> ChatPlan:
    """Raises ``InvalidError`` and ``UnsupportedByModelError``, naming the parameter."""
    refuse(body, REFUSED)
    if body.get("modalities") not in (None, ["text"]):
        raise UnsupportedByModelError("This model answers with text only.", param="modalities")
    tools = read_plan(body)
    schema = _response_schema(body.get("response_format"))
    top = _top_logprobs(body)
    if top is not None and tools is not None:
        raise UnsupportedByModelError(
            "'logprobs' cannot be combined with 'tools' with this model.", param="logprobs"
        )
    request: dict[str, Any] = {
        "messages": plain_messages(body.get("messages"), tools.instruction() if tools else None)
    }
    if tools is not None:
        schema = tools.schema(schema)
    if schema is not None:
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema},
        }
    if (limit := max_tokens(body, "max_completion_tokens", "max_tokens")) is not None:
        request["max_tokens"] = limit
    if top is not None:
        # With 0 alternatives llama.cpp reports no probabilities at all.
        request |= {"logprobs": True, "top_logprobs": max(1, top)}
    sampled = sampling(body, defaults)
    calls = tuple(
        GenerationCall(
            chat=True,
            body=request | with_seed(sampled, index),
            prompt_param="messages",
            schema_param="tools" if tools else "response_format",
            counts_prompt=index == 0,
        )
        for index in range(integer(body, "n", 1, MAX_CHOICES) or 1)
    )
    return ChatPlan(calls=calls, tools=tools, top_logprobs=top)


def max_tokens(body: Mapping[str, Any], *names: str) -> int | None:
    """The first of these members that is set."""
    limits = [integer(body, name, 1, MAX_TOKENS) for name in names]
    return next((limit for limit in limits if limit is not None), None)


def _top_logprobs(body: Mapping[str, Any]) -> int | None:
    wanted = flag(body, "logprobs")
    top = integer(body, "top_logprobs", 0, MAX_TOP_LOGPROBS)
    if not wanted and top:
        raise InvalidError(
            "'top_logprobs' is only allowed when 'logprobs' is true.", param="top_logprobs"
        )
    return (top or 0) if wanted else None


def _response_schema(wanted: object) -> dict[str, Any] | None:
    match wanted:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {"type": "object"}
        case {"type": "json_schema", "json_schema": {"schema": schema} as described}:
            strict = flag(described, "strict") is True
            return json_schema.checked(schema, "response_format", strict=strict)
        case {"type": "json_schema"}:
            raise InvalidError(
                "Missing required parameter: 'response_format.json_schema.schema'.",
                param="response_format",
            )
    raise InvalidError(
        "Invalid 'response_format': expected type 'text', 'json_object' or 'json_schema'.",
        param="response_format",
    )
