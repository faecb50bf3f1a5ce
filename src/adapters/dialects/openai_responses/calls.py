"""Calls of tools as items: what is a function to other dialects is to the client what it said."""

from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.dialects.fields import NOT_JSON
from adapters.dialects.openai_responses.tools import TEXT, own_name
from domain.inference.conversation.parts import ToolCall
from domain.inference.conversation.request import FunctionTool, JsonObject, Tool


class ClientTools:
    """The tools of one request that are no plain functions to its client."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {
            tool.name: tool
            for tool in tools
            if isinstance(tool, FunctionTool) and (tool.namespace or tool.takes_text)
        }

    def takes_text(self, name: str) -> bool:
        return name in self._tools and self._tools[name].takes_text

    def item(self, call: ToolCall) -> JsonObject:
        tool = self._tools.get(call.name)
        if tool is None:
            return function_call(call)
        item = function_call(call) | {"name": own_name(tool)}
        if tool.takes_text:
            del item["arguments"]
            item |= {"type": "custom_tool_call", TEXT: text_of(call.arguments)}
        return item if tool.namespace is None else item | {"namespace": tool.namespace}


def function_call(call: ToolCall) -> JsonObject:
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
    }


def text_of(arguments: str) -> str:
    """What a model has written that should have been JSON with a text in it is that text."""
    try:
        found: Any = msgspec.json.decode(arguments)
    except NOT_JSON:
        return arguments
    text = found.get(TEXT) if isinstance(found, dict) else None
    return text if isinstance(text, str) else arguments


def arguments_with(text: str) -> str:
    return msgspec.json.encode({TEXT: text}).decode()
