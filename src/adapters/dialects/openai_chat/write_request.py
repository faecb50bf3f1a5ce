import msgspec

from adapters.dialects.extras import extras_for, refuse_stored_files
from adapters.dialects.fields import unsupported
from adapters.dialects.openai_chat.read_request import LEGACY_TOOLS
from adapters.dialects.openai_chat.words import NAME
from adapters.dialects.openai_chat.write_messages import write_messages
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from domain.models.served_model import Capability, ServedModel

# Reads of a deployment's options: whether its server takes hints for its cache, as OpenRouter's.
CACHE_OPTION = "cache_control"

# Formats in which an effort is one for the whole answer.
SOFT_EFFORTS = ("anthropic",)

# The effort that a limit in tokens is nearest to.
_EFFORTS = ((16_384, "high"), (6_144, "medium"))


def write_request(request: GenerationRequest, model: ServedModel, limit_name: str) -> bytes:
    """Raises ``UnsupportedByModelError``."""
    refuse_stored_files(NAME, request)
    with_cache = bool(model.options.get(CACHE_OPTION))
    body: JsonObject = extras_for(NAME, request) | {
        "model": model.upstream_name,
        "messages": write_messages(request.turns, with_cache=with_cache),
    }
    body.pop(LEGACY_TOOLS, None)
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": request.include_usage}}
    body |= _sampling(request.sampling)
    body |= _tools(request, with_cache=with_cache)
    found = {
        limit_name: request.max_output_tokens,
        "n": request.choices if request.choices > 1 else None,
        "response_format": _output(request.output),
        "reasoning_effort": _effort(request, model),
        "verbosity": request.verbosity,
    }
    if request.dialect == NAME:
        # Names for the caller and the call, and tiers, that mean nothing to another provider.
        found |= {
            "user": request.user,
            "metadata": request.metadata or None,
            "service_tier": request.service_tier,
        }
    body |= {name: value for name, value in found.items() if value is not None}
    return msgspec.json.encode(body)


def _sampling(sampling: Sampling) -> JsonObject:
    found = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "logit_bias": sampling.logit_bias,
        "stop": list(sampling.stop) or None,
        "logprobs": sampling.logprobs or None,
        "top_logprobs": sampling.top_logprobs,
    }
    return {name: value for name, value in found.items() if value is not None}


def _tools(request: GenerationRequest, *, with_cache: bool) -> JsonObject:
    members: JsonObject = {}
    if request.tools:
        members["tools"] = [
            _tool(tool, f"tools[{index}]", with_cache=with_cache)
            for index, tool in enumerate(request.tools)
        ]
    if request.tool_choice is not None:
        members["tool_choice"] = _tool_choice(request.tool_choice)
    if request.parallel_tools is not None and request.tools:
        members["parallel_tool_calls"] = request.parallel_tools
    return members


def _tool(tool: Tool, path: str, *, with_cache: bool) -> JsonObject:
    if not isinstance(tool, FunctionTool):
        if tool.dialect != NAME:
            raise unsupported(path, f"no tool of the type '{tool.type}' is known to it")
        return tool.definition
    found = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    function = {name: value for name, value in found.items() if value is not None}
    written: JsonObject = {"type": "function", "function": function}
    if with_cache and tool.cache:
        written["cache_control"] = {"type": "ephemeral", "ttl": tool.cache}
    return written


def _tool_choice(choice: ToolChoice) -> str | JsonObject:
    if choice.mode is ToolMode.NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode.value


def _output(output: OutputFormat | None) -> JsonObject | None:
    match output:
        case None:
            return None
        case OutputFormat(kind=OutputKind.TEXT):
            return {"type": "text"}
        case OutputFormat(kind=OutputKind.JSON):
            return {"type": "json_object"}
    found = {"schema": output.schema, "strict": output.strict, "description": output.description}
    named = {name: value for name, value in found.items() if value is not None}
    # OpenAI wants a name.
    return {"type": "json_schema", "json_schema": {"name": output.name or "answer"} | named}


def _effort(request: GenerationRequest, model: ServedModel) -> str | None:
    """A limit of thinking, an amount that is left to the model, and not to think at all are only
    said to models that are known to think: the others keep them by themselves. So is an effort
    where it need not be one of thinking (``SOFT_EFFORTS``)."""
    reasoning = request.reasoning
    if reasoning is None:
        return None
    if reasoning.effort is not None and request.dialect not in SOFT_EFFORTS:
        return reasoning.effort
    if Capability.REASONING not in (model.capabilities or ()):
        return None
    if reasoning.effort is not None or not reasoning.is_enabled:
        return reasoning.effort or "none"
    budget = reasoning.budget_tokens
    if budget is None:
        return None
    return next((effort for least, effort in _EFFORTS if budget >= least), "low")
