import msgspec

from adapters.dialects.cohere.messages import write_messages
from adapters.dialects.extras import extras_for
from adapters.dialects.fields import unsupported
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    JsonObject,
    OutputFormat,
    OutputKind,
    Reasoning,
    Role,
    ToolChoice,
    ToolMode,
)
from domain.models.served_model import ServedModel

NAME = "cohere"
# The option of a deployment that is Cohere's own.
SAFETY_MODE = "safety_mode"
_USUAL_VERBOSITY = "medium"
# A certain tool is any tool, where it is the only one that the model is told of.
_CHOICES = {ToolMode.REQUIRED: "REQUIRED", ToolMode.NAMED: "REQUIRED", ToolMode.NONE: "NONE"}


def request_body(request: GenerationRequest, model: ServedModel) -> bytes:
    extras_for(NAME, request)
    _refuse_unknown(request)
    sampling = request.sampling
    tools = _tools(request)
    found = {
        "max_tokens": request.max_output_tokens,
        "temperature": sampling.temperature,
        "p": sampling.top_p,
        "k": sampling.top_k,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "stop_sequences": list(sampling.stop) or None,
        "tools": tools or None,
        "strict_tools": True if any(_is_strict(tool) for tool in request.tools) else None,
        "tool_choice": _tool_choice(request.tool_choice) if tools else None,
        "response_format": _format(request.output),
        "thinking": _thinking(request.reasoning),
        "safety_mode": model.options.get(SAFETY_MODE),
        "citation_options": _citations(request),
    }
    body: JsonObject = {
        "model": model.upstream_name,
        "messages": write_messages(request.turns),
        "stream": request.stream,
    }
    return msgspec.json.encode(
        body | {name: value for name, value in found.items() if value is not None}
    )


def _refuse_unknown(request: GenerationRequest) -> None:
    if request.choices > 1:
        raise unsupported("n", "Cohere gives one answer")
    if request.sampling.logit_bias:
        raise unsupported("logit_bias")
    if request.sampling.logprobs:
        raise unsupported("logprobs")
    if request.verbosity not in (None, _USUAL_VERBOSITY):
        raise unsupported("verbosity")


def _tools(request: GenerationRequest) -> list[JsonObject]:
    written = [_tool(tool) for tool in request.tools if isinstance(tool, FunctionTool)]
    if len(written) < len(request.tools):
        raise unsupported("tools", "Cohere runs no tools itself")
    choice = request.tool_choice
    if choice is None or choice.mode is not ToolMode.NAMED:
        return written
    return [tool for tool in written if tool["function"]["name"] == choice.name]


def _tool(tool: FunctionTool) -> JsonObject:
    function: JsonObject = {
        "name": tool.name,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
    }
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _is_strict(tool: object) -> bool:
    return isinstance(tool, FunctionTool) and tool.strict is True


def _tool_choice(choice: ToolChoice | None) -> str | None:
    if choice is None:
        return None
    return _CHOICES.get(choice.mode)


def _format(output: OutputFormat | None) -> JsonObject | None:
    if output is None or output.kind is OutputKind.TEXT:
        return None
    wanted: JsonObject = {"type": "json_object"}
    return wanted | {"json_schema": output.schema} if output.schema else wanted


def _thinking(reasoning: Reasoning | None) -> JsonObject | None:
    if reasoning is None:
        return None
    if not reasoning.is_enabled or reasoning.effort == "none":
        return {"type": "disabled"}
    wanted: JsonObject = {"type": "enabled"}
    if reasoning.budget_tokens is not None:
        wanted["token_budget"] = reasoning.budget_tokens
    return wanted


def _citations(request: GenerationRequest) -> JsonObject | None:
    """Of results of tools, which no client would see."""
    has_results = any(turn.role is Role.TOOL for turn in request.turns)
    return {"mode": "OFF"} if has_results else None
