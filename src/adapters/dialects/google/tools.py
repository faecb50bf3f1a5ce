from collections.abc import Sequence

from adapters.dialects.fields import unsupported
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    JsonObject,
    Tool,
    ToolChoice,
    ToolMode,
)


def tool_members(request: GenerationRequest) -> JsonObject:
    """``tools`` and ``toolConfig``, as far as they are needed."""
    if not request.tools:
        return {}
    members: JsonObject = {
        "tools": [{"functionDeclarations": [_declaration(tool) for tool in request.tools]}]
    }
    config = _calling(request.tool_choice, request.tools)
    if config is not None:
        members["toolConfig"] = {"functionCallingConfig": config}
    return members


def _declaration(tool: Tool) -> JsonObject:
    if not isinstance(tool, FunctionTool):
        raise unsupported("tools", f"it cannot run '{tool.type}'")
    declaration: JsonObject = {"name": tool.name}
    if tool.description is not None:
        declaration["description"] = tool.description
    if tool.parameters:
        declaration["parametersJsonSchema"] = tool.parameters
    return declaration


def _calling(choice: ToolChoice | None, tools: Sequence[Tool]) -> JsonObject | None:
    mode = ToolMode.AUTO if choice is None else choice.mode
    if choice is not None and mode is ToolMode.NAMED:
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    if mode is ToolMode.REQUIRED:
        return {"mode": "ANY"}
    if mode is ToolMode.NONE:
        return {"mode": "NONE"}
    # The model may choose, but must keep to the schema where one of its tools asks for that.
    if any(isinstance(tool, FunctionTool) and tool.strict for tool in tools):
        return {"mode": "VALIDATED"}
    return None if choice is None else {"mode": "AUTO"}
