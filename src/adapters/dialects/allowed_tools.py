"""OpenAI's choice among some of the tools, in its chats and in its responses."""

from collections.abc import Iterable
from typing import Any

from domain.inference.conversation.request import FunctionTool, Tool, ToolChoice, ToolMode

_MODES = {"auto": ToolMode.AUTO, "required": ToolMode.REQUIRED}


def allowed_among(
    tools: Iterable[Tool], choice: object
) -> tuple[tuple[Tool, ...], ToolChoice] | None:
    """The tools that may be called: to allow no others is to tell of no others. ``None`` for any
    other choice, and where one of those that are allowed is no function."""
    match choice:
        case {"type": "allowed_tools", "allowed_tools": {"mode": str() as mode, "tools": [*these]}}:
            named = [_name(tool, "function") for tool in these]
        case {"type": "allowed_tools", "mode": str() as mode, "tools": [*these]}:
            named = [_name(tool) for tool in these]
        case _:
            return None
    functions = {tool.name: tool for tool in tools if isinstance(tool, FunctionTool)}
    if mode not in _MODES or not functions.keys() >= set(named):
        return None
    allowed = tuple(tool for name, tool in functions.items() if name in named)
    return allowed, ToolChoice(mode=_MODES[mode])


def _name(tool: Any, member: str | None = None) -> str | None:
    """``None`` for what is no function."""
    match tool if member is None else {"type": "function"} | _inside(tool, member):
        case {"type": "function", "name": str() as name}:
            return name
    return None


def _inside(tool: Any, member: str) -> dict[str, Any]:
    found = tool.get(member) if isinstance(tool, dict) else None
    return found if isinstance(found, dict) else {}
