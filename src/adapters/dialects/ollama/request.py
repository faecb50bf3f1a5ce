from collections.abc import Mapping

import msgspec

from adapters.dialects.extras import extras_for, refuse_stored_files
from adapters.dialects.fields import unsupported
from adapters.dialects.ollama.messages import write_messages
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
    Reasoning,
    ToolMode,
)
from domain.models.served_model import ServedModel

NAME = "ollama"
# The options of a deployment that stand beside Ollama's own.
KEEP_ALIVE, THINK = "keep_alive", "think"
_BESIDE = (KEEP_ALIVE, THINK)
_USUAL_VERBOSITY = "medium"
_LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high"}


def request_body(
    request: GenerationRequest, model: ServedModel, keep_alive: str | int | None = None
) -> bytes:
    """``keep_alive`` holds where the deployment does not say another."""
    extras_for(NAME, request)
    refuse_stored_files(NAME, request)
    _refuse_unknown(request)
    body: JsonObject = {
        "model": model.upstream_name,
        "messages": write_messages(request.turns),
        "stream": request.stream,
    }
    tools = _tools(request)
    if tools:
        body["tools"] = tools
    found = {
        "format": _format(request.output),
        "think": _think(request.reasoning, model),
        "logprobs": request.sampling.logprobs or None,
        "top_logprobs": request.sampling.top_logprobs if request.sampling.logprobs else None,
        "options": own_options(model) | _sampling(request) or None,
        "keep_alive": model.options.get(KEEP_ALIVE, keep_alive),
    }
    body |= {name: value for name, value in found.items() if value is not None}
    return msgspec.json.encode(body)


def own_options(model: ServedModel) -> JsonObject:
    """The deployment's options that Ollama calls so too (``num_ctx`` and the like)."""
    options: Mapping[str, object] = model.options
    return {name: value for name, value in options.items() if name not in _BESIDE}


def _refuse_unknown(request: GenerationRequest) -> None:
    if request.choices > 1:
        raise unsupported("n", "Ollama gives one answer")
    if request.sampling.logit_bias:
        raise unsupported("logit_bias")
    if request.verbosity not in (None, _USUAL_VERBOSITY):
        raise unsupported("verbosity")


def _sampling(request: GenerationRequest) -> JsonObject:
    sampling = request.sampling
    options = {
        "num_predict": request.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "stop": list(sampling.stop) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _tools(request: GenerationRequest) -> list[JsonObject]:
    choice = request.tool_choice
    if choice is not None and choice.mode in (ToolMode.REQUIRED, ToolMode.NAMED):
        raise unsupported("tool_choice", "Ollama's models choose themselves")
    written = [_tool(tool) for tool in request.tools if isinstance(tool, FunctionTool)]
    if len(written) < len(request.tools):
        raise unsupported("tools", "Ollama runs no tools itself")
    return [] if choice is not None and choice.mode is ToolMode.NONE else written


def _tool(tool: FunctionTool) -> JsonObject:
    function: JsonObject = {
        "name": tool.name,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _format(output: OutputFormat | None) -> str | JsonObject | None:
    if output is None or output.kind is OutputKind.TEXT:
        return None
    return "json" if output.kind is OutputKind.JSON or not output.schema else output.schema


def _think(reasoning: Reasoning | None, model: ServedModel) -> object:
    """What the deployment says holds for those who say nothing."""
    if reasoning is None:
        return model.options.get(THINK)
    if not reasoning.is_enabled or reasoning.effort == "none":
        return False
    return True if reasoning.effort is None else _LEVELS.get(reasoning.effort, True)
