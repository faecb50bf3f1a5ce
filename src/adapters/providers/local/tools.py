"""Tools for models whose chat template does not know of them.

The tools are told to the model in a system message, and a grammar made from their schemas forces
its answer into one of these shapes:

    {"name": "get_weather", "arguments": {"city": "Paris"}}     a call
    {"tool_calls": [{"name": …, "arguments": …}, …]}            calls, if asked for several
    {"reply": "…"}                                              an answer in words, if allowed

Several calls at once are made only when ``parallel_tool_calls`` is explicitly true: left to its
own judgement a small model goes on calling. OpenAI's default merely permits them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.providers.local import json_schema
from adapters.providers.local.parameters import flag
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

MAX_TOOLS = 128
MAX_CALLS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlan:
    """The tools that may be called; ``required`` forbids an answer in words."""

    tools: tuple[Tool, ...]
    required: bool
    parallel: bool

    def schema(self, reply: dict[str, Any] | None) -> dict[str, Any]:
        """What the model may write; ``reply`` is the schema that an answer in words must have."""
        keys = [f"tool_{index}" for index in range(len(self.tools))]
        definitions = {
            key: json_schema.moved(tool.parameters, key)
            for key, tool in zip(keys, self.tools, strict=True)
        }
        calls = [
            _closed({"name": {"const": tool.name}, "arguments": {"$ref": f"#/$defs/{key}"}})
            for key, tool in zip(keys, self.tools, strict=True)
        ]
        shapes = calls
        if self.parallel:
            several = {
                "type": "array",
                "items": {"anyOf": calls},
                "minItems": 1,
                "maxItems": MAX_CALLS,
            }
            shapes = [_closed({"tool_calls": several})]
        if not self.required:
            if reply is not None:
                definitions["reply"] = json_schema.moved(reply, "reply")
            said = {"type": "string"} if reply is None else {"$ref": "#/$defs/reply"}
            shapes = [*shapes, _closed({"reply": said})]
        return {"$defs": definitions, "anyOf": shapes}

    def instruction(self) -> str:
        lines = ["You can call these tools:"]
        lines += [_described(tool) for tool in self.tools]
        call = '{"name": "<tool>", "arguments": {...}}'
        if self.parallel:
            call = '{"tool_calls": [' + call + ", ...]}"
        lines.append(f"To call a tool answer with JSON only: {call}")
        if not self.required:
            lines.append('To answer without a tool: {"reply": "<your answer>"}')
        return "\n".join(lines)


def read_plan(body: Mapping[str, Any]) -> ToolPlan | None:
    """The tools of a request, or ``None`` when none may be called."""
    tools = _tools(body.get("tools"))
    choice = body.get("tool_choice")
    parallel = flag(body, "parallel_tool_calls") is True
    if not tools:
        if choice not in (None, "none", "auto"):
            raise InvalidError(
                "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice"
            )
        return None
    if choice == "none":
        return None
    chosen, required = _chosen(tools, "auto" if choice is None else choice)
    return ToolPlan(tools=chosen, required=required, parallel=parallel)


def _chosen(tools: tuple[Tool, ...], choice: object) -> tuple[tuple[Tool, ...], bool]:
    match choice:
        case "auto" | "required":
            return tools, choice == "required"
        case {"type": "function", "function": {"name": str(name)}}:
            return _named(tools, [name]), True
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto" | "required" as mode, "tools": [*entries]},
        } if entries:
            names = [
                entry.get("function", {}).get("name") if isinstance(entry, dict) else None
                for entry in entries
            ]
            return _named(tools, names), mode == "required"
    raise InvalidError(
        "Invalid 'tool_choice': expected 'none', 'auto', 'required' or a function of 'tools'.",
        param="tool_choice",
    )


def _named(tools: tuple[Tool, ...], names: Sequence[object]) -> tuple[Tool, ...]:
    by_name = {tool.name: tool for tool in tools}
    for name in names:
        if name not in by_name:
            raise InvalidError(
                f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice"
            )
    return tuple(tool for tool in tools if tool.name in names)


def _tools(tools: object) -> tuple[Tool, ...]:
    if tools is None:
        return ()
    if not isinstance(tools, list) or len(tools) > MAX_TOOLS:
        raise InvalidError(
            f"Invalid 'tools': expected an array of at most {MAX_TOOLS}.", param="tools"
        )
    read = tuple(_tool(tool, index) for index, tool in enumerate(tools))
    if len({tool.name for tool in read}) < len(read):
        raise InvalidError("Invalid 'tools': two tools have the same name.", param="tools")
    return read


def _tool(tool: object, index: int) -> Tool:
    param = f"tools[{index}]"
    if isinstance(tool, dict) and tool.get("type") not in (None, "function"):
        raise UnsupportedByModelError(
            "Only tools of type 'function' are supported with this model.", param="tools"
        )
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not name:
        raise InvalidError(
            f"Missing required parameter: '{param}.function.name'.", param=f"{param}.function.name"
        )
    parameters = function.get("parameters") or {}
    strict = flag(function, "strict") is True
    schema = json_schema.checked(parameters, f"{param}.function.parameters", strict=strict)
    return Tool(
        name=name,
        description=str(function.get("description") or ""),
        # Arguments are an object, whatever a sloppy schema leaves open.
        parameters={"type": "object", **schema} if "$ref" not in schema else schema,
    )


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _described(tool: Tool) -> str:
    about: dict[str, Any] = {"name": tool.name}
    if tool.description:
        about["description"] = tool.description
    return json.dumps(about | {"parameters": tool.parameters}, ensure_ascii=False)
