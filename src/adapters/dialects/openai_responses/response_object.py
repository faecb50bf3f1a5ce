"""The object ``response``, with all members that clients may look for."""

from adapters.dialects.openai_responses.options import write_format
from adapters.dialects.openai_responses.request_writing import instructions_of
from adapters.dialects.openai_responses.tools import write_tool_choice, write_tools
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.request import (
    GenerationRequest,
    HostedTool,
    JsonObject,
    Tool,
)

# Members of a request that its answer repeats.
_REPEATED = (
    "max_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "truncation",
)


def response_object(
    response_id: str, created: int | None, request: GenerationRequest
) -> JsonObject:
    """A response that has only begun; what was asked is repeated in it."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": created or 0,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": request.model,
        "output": [],
        "previous_response_id": None,
        "store": False,
        "usage": None,
    } | _asked(request)


def _asked(request: GenerationRequest) -> JsonObject:
    instructions, _ = instructions_of(request.turns)
    sampling, reasoning = request.sampling, request.reasoning
    return {
        "instructions": instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": None,
        "parallel_tool_calls": request.parallel_tools is not False,
        "reasoning": {
            "effort": reasoning and reasoning.effort,
            "summary": reasoning and reasoning.summary,
        },
        "service_tier": request.service_tier or "default",
        "temperature": 1.0 if sampling.temperature is None else sampling.temperature,
        "text": {
            "format": write_format(request.output),
            "verbosity": request.verbosity or "medium",
        },
        "tool_choice": _tool_choice(request),
        "tools": write_tools(_own(request.tools)),
        "top_logprobs": sampling.top_logprobs or 0,
        "top_p": 1.0 if sampling.top_p is None else sampling.top_p,
        "truncation": "disabled",
        "user": request.user,
        "metadata": request.metadata,
    } | {name: request.extras[name] for name in _REPEATED if name in request.extras}


def _tool_choice(request: GenerationRequest) -> object:
    if request.tool_choice is not None:
        return write_tool_choice(request.tool_choice)
    return request.extras.get("tool_choice", "auto")


def _own(tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    return tuple(tool for tool in tools if not isinstance(tool, HostedTool) or tool.dialect == NAME)
