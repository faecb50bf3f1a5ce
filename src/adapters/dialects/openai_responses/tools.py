"""Tools and the choice among them.

Groups of tools, and tools that take a text, are functions to other dialects, which have none.
"""

from collections.abc import Iterator
from dataclasses import replace

from adapters.dialects.allowed_tools import allowed_among
from adapters.dialects.fields import Fields, unsupported
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.request import (
    FunctionTool,
    HostedTool,
    JsonObject,
    Tool,
    ToolChoice,
    ToolMode,
)

# The parameter of a tool that takes a text.
TEXT = "input"
_TAKES_TEXT: JsonObject = {
    "type": "object",
    "properties": {TEXT: {"type": "string"}},
    "required": [TEXT],
    "additionalProperties": False,
}
_BETWEEN = "__"
_OWN_FUNCTIONS = ("function", "custom")


def read_calling(fields: Fields) -> tuple[tuple[Tool, ...], ToolChoice | None, object]:
    """The tools; the choice among them; and what it is instead where it is none that other dialects
    have."""
    given = fields.list("tools") or []
    tools = tuple(
        tool for index, one in enumerate(given) for tool in _read(Fields(one, f"tools[{index}]"))
    )
    allowed = allowed_among(tools, fields.peek("tool_choice"))
    if allowed is not None:
        fields.raw("tool_choice")
        return *allowed, None
    return tools, *_read_choice(fields)


def full_name(namespace: str | None, name: str) -> str:
    """What tells a tool of a group from all others."""
    return name if namespace is None else f"{namespace}{_BETWEEN}{name}"


def own_name(tool: FunctionTool) -> str:
    """What the client calls it, in its group."""
    return tool.name.removeprefix(full_name(tool.namespace, ""))


def write_tools(tools: tuple[Tool, ...], *, strict: bool | None = None) -> list[JsonObject]:
    """``strict`` is what goes for a function that does not say it: here, unlike elsewhere, the
    default is to be strict wherever that can be."""
    return [_write(tool, strict) for tool in tools]


def write_tool_choice(choice: ToolChoice) -> str | JsonObject:
    if choice.mode is ToolMode.NAMED:
        return {"type": "function", "name": choice.name}
    return choice.mode.value


def _read(fields: Fields) -> Iterator[Tool]:
    match fields.needed("type"):
        case "function":
            yield _function(fields)
        case "custom":
            yield _custom(fields)
        case "namespace":
            yield from _group(fields)
        case kind:
            yield HostedTool(dialect=NAME, type=kind, definition={"type": kind} | fields.rest())


def _function(fields: Fields) -> FunctionTool:
    read = FunctionTool(
        name=fields.needed("name"),
        description=fields.text("description"),
        parameters=fields.mapping("parameters"),
        strict=fields.flag("strict"),
    )
    _end(fields)
    return read


def _custom(fields: Fields) -> FunctionTool:
    name, description = fields.needed("name"), fields.text("description")
    wanted = fields.object("format") or Fields({"type": "text"})
    if wanted.needed("type") == "grammar":
        # Models are told what elsewhere they would be held to.
        rule = f"The {TEXT} follows this {wanted.needed('syntax')} grammar:"
        description = "\n\n".join(filter(None, (description, rule, wanted.needed("definition"))))
    wanted.end()
    _end(fields)
    return FunctionTool(name=name, description=description, parameters=_TAKES_TEXT, takes_text=True)


def _group(fields: Fields) -> Iterator[FunctionTool]:
    name, description = fields.needed("name"), fields.text("description")
    for given in fields.objects("tools"):
        kind = given.needed("type")
        if kind not in _OWN_FUNCTIONS:
            raise given.wrong("type", "'function' or 'custom'")
        tool = _function(given) if kind == "function" else _custom(given)
        yield replace(
            tool,
            name=full_name(name, tool.name),
            description="\n\n".join(filter(None, (description, tool.description))) or None,
            namespace=name,
        )
    fields.end()


def _end(fields: Fields) -> None:
    """Models are told of tools at once that elsewhere they would have to look for."""
    fields.flag("defer_loading")
    if fields.peek("allowed_callers") == ["direct"]:
        fields.raw("allowed_callers")
    fields.end()


def _write(tool: Tool, strict: bool | None) -> JsonObject:
    if isinstance(tool, HostedTool):
        if tool.dialect != NAME:
            raise unsupported("tools", f"a tool '{tool.type}' is run by other providers")
        return tool.definition
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": strict if tool.strict is None else tool.strict,
    }


def _read_choice(fields: Fields) -> tuple[ToolChoice | None, object]:
    choice = fields.raw("tool_choice")
    if choice is None:
        return None, None
    if isinstance(choice, str):
        if choice not in (ToolMode.AUTO, ToolMode.NONE, ToolMode.REQUIRED):
            raise fields.wrong("tool_choice", "'auto', 'none', 'required' or an object")
        return ToolChoice(mode=ToolMode(choice)), None
    named = Fields(choice, "tool_choice")
    if named.needed("type") not in _OWN_FUNCTIONS:
        return None, choice
    name = full_name(named.text("namespace"), named.needed("name"))
    named.end()
    return ToolChoice(mode=ToolMode.NAMED, name=name), None
