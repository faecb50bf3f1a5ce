from adapters.dialects.bedrock.blocks import cache_point
from adapters.dialects.bedrock.families import Family
from adapters.dialects.fields import unsupported
from domain.inference.conversation.parts import ToolCall, ToolResult
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    JsonObject,
    Tool,
    ToolMode,
)

_OVER = "It was called earlier, and must not be called any more."
_NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}


def tool_config(request: GenerationRequest, family: Family) -> JsonObject | None:
    choice = request.tool_choice
    if not request.tools:
        return _tools_of_old(request)
    if choice is not None and choice.mode is ToolMode.NONE:
        # Converse cannot forbid calls, so the model is not told of the tools; but it insists on
        # them where calls stand in the conversation.
        if _has_calls(request):
            raise unsupported("tool_choice", "it cannot be 'none' after tools were called")
        return None
    tools: list[JsonObject] = []
    for tool in request.tools:
        tools.append(_tool(tool))
        tools += cache_point(getattr(tool, "cache", None), family)
    config: JsonObject = {"tools": tools}
    if choice is not None and choice.mode is ToolMode.NAMED:
        config["toolChoice"] = {"tool": {"name": choice.name}}
    elif choice is not None:
        config["toolChoice"] = {"auto": {}} if choice.mode is ToolMode.AUTO else {"any": {}}
    return config


def _tools_of_old(request: GenerationRequest) -> JsonObject | None:
    """Bedrock insists on being told of tools where calls stand in the conversation, also when the
    client, which sums it up or names it, does not want any to be called."""
    parts = (part for turn in request.turns for part in turn.parts)
    names = dict.fromkeys(part.name for part in parts if isinstance(part, ToolCall))
    specs = [
        {"name": name, "description": _OVER, "inputSchema": {"json": _NO_PARAMETERS}}
        for name in names
    ]
    return {"tools": [{"toolSpec": spec} for spec in specs]} if specs else None


def _tool(tool: Tool) -> JsonObject:
    if not isinstance(tool, FunctionTool):
        raise unsupported("tools", f"it cannot run '{tool.type}'")
    spec: JsonObject = {
        "name": tool.name,
        "inputSchema": {"json": tool.parameters or _NO_PARAMETERS},
    }
    if tool.description:
        spec["description"] = tool.description
    if tool.strict:
        spec["strict"] = True
    return {"toolSpec": spec}


def _has_calls(request: GenerationRequest) -> bool:
    return any(
        isinstance(part, ToolCall | ToolResult) for turn in request.turns for part in turn.parts
    )
