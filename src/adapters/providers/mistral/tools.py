"""Where the tools of Mistral's chats differ from OpenAI's."""

from typing import Any

import msgspec

from adapters.providers.json_reading import NOT_JSON
from domain.shared.errors import InvalidError

# Mistral wants to hear of them even where there are none.
_NO_PARAMETERS = {"type": "object", "properties": {}}


def adapted_tools(tools: msgspec.Raw) -> msgspec.Raw:
    """Tools that need nothing are passed on byte for byte."""
    try:
        decoded = msgspec.json.decode(tools, type=list[dict[str, Any]])
    except NOT_JSON as error:
        raise InvalidError(f"'tools' cannot be read: {error}", param="tools") from error
    adapted = [_tool(tool) for tool in decoded]
    return tools if adapted == decoded else msgspec.Raw(msgspec.json.encode(adapted))


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """Without a hint for caches, which others take."""
    changed = {name: value for name, value in tool.items() if name != "cache_control"}
    function = changed.get("function")
    if isinstance(function, dict) and not function.get("parameters"):
        changed["function"] = function | {"parameters": _NO_PARAMETERS}
    return changed
