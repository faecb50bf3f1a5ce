"""Tools, formats and thinking: members that have a structure of their own."""

from adapters.dialects.fields import Fields, unsupported
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    HostedTool,
    JsonObject,
    OutputFormat,
    OutputKind,
    Reasoning,
    Tool,
    ToolChoice,
    ToolMode,
)
from domain.models.served_model import Capability, ServedModel

_FORMATS = {
    OutputKind.TEXT: "text",
    OutputKind.JSON: "json_object",
    OutputKind.JSON_SCHEMA: "json_schema",
}
_KINDS = {word: kind for kind, word in _FORMATS.items()}
# How many tokens of thinking are still called so.
_EFFORTS = ((1024, "minimal"), (4096, "low"), (16384, "medium"))


def read_tools(fields: Fields) -> tuple[Tool, ...]:
    tools = fields.list("tools") or []
    return tuple(_read_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools))


def _read_tool(tool: object, path: str) -> Tool:
    fields = Fields(tool, path)
    kind = fields.needed("type")
    if kind != "function":
        return HostedTool(dialect=NAME, type=kind, definition=dict(Fields(tool).rest()))
    read = FunctionTool(
        name=fields.needed("name"),
        description=fields.text("description"),
        parameters=fields.mapping("parameters"),
        strict=fields.flag("strict"),
    )
    fields.end()
    return read


def write_tools(tools: tuple[Tool, ...], *, strict: bool | None = None) -> list[JsonObject]:
    """``strict`` is what goes for a function that does not say it: here, unlike elsewhere, the
    default is to be strict wherever that can be."""
    return [_write_tool(tool, strict) for tool in tools]


def _write_tool(tool: Tool, strict: bool | None) -> JsonObject:
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


def read_tool_choice(fields: Fields) -> tuple[ToolChoice | None, object]:
    """The choice; and what it is instead where it is none that other dialects have."""
    choice = fields.raw("tool_choice")
    if choice is None:
        return None, None
    if isinstance(choice, str):
        if choice not in (ToolMode.AUTO, ToolMode.NONE, ToolMode.REQUIRED):
            raise fields.wrong("tool_choice", "'auto', 'none', 'required' or an object")
        return ToolChoice(mode=ToolMode(choice)), None
    named = Fields(choice, "tool_choice")
    if named.needed("type") != "function":
        return None, choice
    read = ToolChoice(mode=ToolMode.NAMED, name=named.needed("name"))
    named.end()
    return read, None


def write_tool_choice(choice: ToolChoice) -> str | JsonObject:
    if choice.mode is ToolMode.NAMED:
        return {"type": "function", "name": choice.name}
    return choice.mode.value


def read_format(fields: Fields) -> OutputFormat | None:
    """``text.format``."""
    given = fields.object("format")
    if given is None:
        return None
    kind = _KINDS.get(given.needed("type"))
    if kind is None:
        raise given.wrong("type", "'text', 'json_object' or 'json_schema'")
    if kind is not OutputKind.JSON_SCHEMA:
        given.end()
        return OutputFormat(kind=kind)
    name, schema = given.needed("name"), given.mapping("schema")
    if schema is None:
        raise given.missing("schema")
    read = OutputFormat(
        kind=kind,
        name=name,
        schema=schema,
        strict=given.flag("strict"),
        description=given.text("description"),
    )
    given.end()
    return read


def write_format(output: OutputFormat | None) -> JsonObject:
    if output is None or output.kind is not OutputKind.JSON_SCHEMA:
        return {"type": "text" if output is None else _FORMATS[output.kind]}
    written: JsonObject = {
        "type": "json_schema",
        "name": output.name or "answer",
        "schema": output.schema or {},
        "strict": output.strict,
    }
    return written if output.description is None else written | {"description": output.description}


def write_text(request: GenerationRequest) -> JsonObject:
    """The member ``text``, possibly empty."""
    written: JsonObject = {}
    if request.output is not None:
        written["format"] = write_format(request.output)
    if request.verbosity is not None:
        written["verbosity"] = request.verbosity
    return written


def read_reasoning(fields: Fields) -> Reasoning | None:
    given = fields.object("reasoning")
    if given is None:
        return None
    effort = given.text("effort")
    older = given.text("generate_summary")
    summary = given.text("summary") or older
    given.end()
    return Reasoning(effort=effort, is_enabled=effort != "none", summary=summary)


def write_reasoning(reasoning: Reasoning, model: ServedModel) -> JsonObject:
    """The member ``reasoning``, possibly empty: whoever leaves the amount to the model says
    nothing, and limits of thinking are for models that are known to think; others refuse them."""
    written: JsonObject = {}
    effort = reasoning.effort or (_limit(reasoning) if thinks(model) else None)
    if effort is not None:
        written["effort"] = effort
    if reasoning.summary is not None:
        written["summary"] = reasoning.summary
    return written


def thinks(model: ServedModel) -> bool:
    """Whether the operator has said so."""
    return model.capabilities is not None and Capability.REASONING in model.capabilities


def _limit(reasoning: Reasoning) -> str | None:
    if not reasoning.is_enabled:
        return "none"
    budget = reasoning.budget_tokens
    if budget is None:
        return None
    return next((word for most, word in _EFFORTS if budget <= most), "high")
