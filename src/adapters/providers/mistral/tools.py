"""Where the tools of Mistral's chats, and the choice among them, differ from OpenAI's."""

from typing import Any

import msgspec

from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.request import Members
from domain.shared.errors import InvalidError

_Tool = dict[str, Any]

_REQUIRED = "any"
# Mistral wants to hear of them even where there are none.
_NO_PARAMETERS = {"type": "object", "properties": {}}


def adapted_calling(members: Members) -> Members:
    """``tools`` and ``tool_choice``; what needs nothing is passed on byte for byte."""
    given = _decoded(members["tools"], "tools", list[_Tool])
    choice = _decoded(members.get("tool_choice", msgspec.Raw(b"null")), "tool_choice", Any)
    tools, chosen = [_tool(tool) for tool in given], choice
    match choice:
        case "required":
            chosen = _REQUIRED
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [*allowed]}}:
            names = [_name(tool) for tool in allowed]
            tools = [tool for tool in tools if _name(tool) in names]
            chosen = _REQUIRED if mode == "required" else mode
    found: Members = {}
    if tools != given:
        found["tools"] = msgspec.Raw(msgspec.json.encode(tools))
    if chosen != choice:
        found["tool_choice"] = msgspec.Raw(msgspec.json.encode(chosen))
    return found


def _tool(tool: _Tool) -> _Tool:
    """Without a hint for caches, which others take."""
    changed = {name: value for name, value in tool.items() if name != "cache_control"}
    function = changed.get("function")
    if isinstance(function, dict) and not function.get("parameters"):
        changed["function"] = function | {"parameters": _NO_PARAMETERS}
    return changed


def _name(tool: Any) -> object:
    function = tool.get("function") if isinstance(tool, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def _decoded(value: msgspec.Raw, name: str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(value, type=kind)
    except NOT_JSON as error:
        raise InvalidError(f"'{name}' cannot be read: {error}", param=name) from error
