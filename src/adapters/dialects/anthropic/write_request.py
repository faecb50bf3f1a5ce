from collections.abc import Sequence

import msgspec

from adapters.dialects.anthropic.options import options_of
from adapters.dialects.anthropic.thinking import write_thinking
from adapters.dialects.anthropic.words import NAME
from adapters.dialects.anthropic.write_blocks import cache_control, write_blocks
from adapters.dialects.extras import extras_for, refuse_stored_files
from adapters.dialects.fields import unsupported
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
    Role,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
    Turn,
)
from domain.models.served_model import ServedModel

# Anthropic wants a limit; every model that it still serves can say this much.
DEFAULT_MAX_TOKENS = 8192

_CHOICES = {ToolMode.AUTO: "auto", ToolMode.REQUIRED: "any", ToolMode.NONE: "none"}
_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)


def write_request(request: GenerationRequest, model: ServedModel) -> bytes:
    """Raises ``UnsupportedByModelError``."""
    refuse_stored_files(NAME, request)
    _refuse_what_is_unknown(request)
    leading, options = _leading(request.turns), options_of(model)
    limit = request.max_output_tokens or model.max_output_tokens or DEFAULT_MAX_TOKENS
    body: JsonObject = {
        "model": model.upstream_name,
        "max_tokens": limit,
        "messages": _messages(request.turns, leading),
    }
    system = [part for turn in request.turns[:leading] for part in turn.parts]
    if system:
        body["system"] = write_blocks(system, "messages[0].content")
    if request.stream:
        body["stream"] = True
    body |= _sampling(request.sampling)
    body |= _tools(request)
    body |= write_thinking(request, model, limit)
    output = _output(request.output)
    extras = dict(extras_for(NAME, request))
    config = body.pop("output_config", {}) | output | extras.pop("output_config", {})
    if config:
        body["output_config"] = config
    if request.dialect == NAME:
        body |= {"metadata": {"user_id": request.user}} if request.user else {}
        body |= {"service_tier": request.service_tier} if request.service_tier else {}
    elif options.prompt_cache is not None:
        body["cache_control"] = cache_control(options.prompt_cache)
    return msgspec.json.encode(body | extras)


def _refuse_what_is_unknown(request: GenerationRequest) -> None:
    sampling = request.sampling
    unknown = {
        "n": request.choices > 1,
        "seed": sampling.seed is not None,
        "presence_penalty": bool(sampling.presence_penalty),
        "frequency_penalty": bool(sampling.frequency_penalty),
        "logit_bias": bool(sampling.logit_bias),
        "logprobs": sampling.logprobs or bool(sampling.top_logprobs),
        "verbosity": request.verbosity not in (None, "medium"),
    }
    for name, is_wanted in unknown.items():
        if is_wanted:
            raise unsupported(name)
    if sampling.temperature is not None and sampling.temperature > 1:
        raise unsupported("temperature", "it goes up to 1")


def _leading(turns: Sequence[Turn]) -> int:
    """How many turns of the system stand before the conversation."""
    count = 0
    while count < len(turns) and turns[count].role in _SYSTEM:
        count += 1
    return count


def _messages(turns: Sequence[Turn], start: int) -> list[JsonObject]:
    """What a user says right after the results of tools goes with them."""
    written: list[JsonObject] = []
    after_results = False
    for index, turn in enumerate(turns[start:], start):
        if turn.name is not None:
            raise unsupported(f"messages[{index}].name")
        blocks = write_blocks(turn.parts, f"messages[{index}].content")
        if turn.role is Role.USER and after_results:
            written[-1]["content"] += blocks
        elif blocks or turn.role is not Role.ASSISTANT:
            written.append({"role": _role(turn.role), "content": blocks})
        after_results = turn.role is Role.TOOL
    return written


def _role(role: Role) -> str:
    if role in _SYSTEM:
        return "system"
    return "assistant" if role is Role.ASSISTANT else "user"


def _sampling(sampling: Sampling) -> JsonObject:
    found = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "stop_sequences": list(sampling.stop) or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _tools(request: GenerationRequest) -> JsonObject:
    members: JsonObject = {}
    if request.tools:
        members["tools"] = [
            _tool(tool, f"tools[{index}]") for index, tool in enumerate(request.tools)
        ]
    choice = _tool_choice(request)
    return members if choice is None else members | {"tool_choice": choice}


def _tool(tool: Tool, path: str) -> JsonObject:
    if not isinstance(tool, FunctionTool):
        if tool.dialect != NAME:
            raise unsupported(path, f"no tool of the type '{tool.type}' is known to it")
        return tool.definition
    found = {
        "description": tool.description,
        "strict": tool.strict,
        "cache_control": tool.cache and cache_control(tool.cache),
    }
    schema = tool.parameters or {"type": "object", "properties": {}}
    given = {name: value for name, value in found.items() if value is not None}
    return {"name": tool.name, "input_schema": schema} | given


def _tool_choice(request: GenerationRequest) -> JsonObject | None:
    choice, parallel = request.tool_choice, request.parallel_tools
    if choice is None:
        if parallel is not False or not request.tools:
            return None
        choice = ToolChoice(mode=ToolMode.AUTO)
    written: JsonObject = {"type": _CHOICES.get(choice.mode, "tool")}
    if choice.mode is ToolMode.NAMED:
        written["name"] = choice.name
    if parallel is not None and choice.mode is not ToolMode.NONE:
        written["disable_parallel_tool_use"] = not parallel
    return written


def _output(output: OutputFormat | None) -> JsonObject:
    if output is None or output.kind is OutputKind.TEXT:
        return {}
    if output.schema is None:
        raise unsupported("response_format", "it answers with JSON only after a schema")
    return {"format": {"type": "json_schema", "schema": output.schema}}
