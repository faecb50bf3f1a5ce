from adapters.dialects.anthropic.read_blocks import read_blocks, read_cache
from adapters.dialects.anthropic.words import NAME
from adapters.dialects.fields import Fields
from domain.inference.conversation.parts import Part, ToolResult
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    HostedTool,
    JsonObject,
    OutputFormat,
    OutputKind,
    Reasoning,
    Role,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
    Turn,
)

_MODES = {"auto": ToolMode.AUTO, "any": ToolMode.REQUIRED, "none": ToolMode.NONE}


def read_request(body: bytes) -> GenerationRequest:
    fields = Fields.of(body)
    config = fields.object("output_config") or Fields({}, "output_config")
    choice, parallel = _tool_choice(fields)
    metadata = fields.object("metadata") or Fields({})
    _forget_edits_of_thoughts(fields)
    return GenerationRequest(
        dialect=NAME,
        model=fields.needed("model"),
        turns=_turns(fields),
        stream=fields.flag("stream") or False,
        include_usage=True,
        max_output_tokens=fields.integer("max_tokens"),
        sampling=Sampling(
            temperature=fields.number("temperature"),
            top_p=fields.number("top_p"),
            top_k=fields.integer("top_k"),
            stop=fields.texts("stop_sequences"),
        ),
        tools=tuple(_tool(tool) for tool in fields.objects("tools")),
        tool_choice=choice,
        parallel_tools=parallel,
        output=_output(fields, config),
        reasoning=_reasoning(fields, config),
        user=metadata.text("user_id"),
        service_tier=fields.text("service_tier"),
        extras=fields.rest() | _left_of("output_config", config),
    )


def _turns(fields: Fields) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    if fields.has("system"):
        turns.append(Turn(role=Role.SYSTEM, parts=tuple(read_blocks(fields, "system"))))
    asked = False
    for message in fields.objects("messages"):
        asked = True
        role, parts = message.needed("role"), read_blocks(message)
        match role:
            case "user":
                turns += _asked(parts)
            case "assistant" | "system":
                turns.append(Turn(role=Role(role), parts=tuple(parts)))
            case _:
                raise message.wrong("role", "'user', 'assistant' or 'system'")
        message.end()
    if not asked:
        raise fields.missing("messages")
    return tuple(turns)


def _asked(parts: list[Part]) -> list[Turn]:
    """The results of tools are turns of their own, and come before what the user says."""
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    others = tuple(part for part in parts if not isinstance(part, ToolResult))
    turns = [Turn(role=Role.TOOL, parts=results)] if results else []
    return [*turns, Turn(role=Role.USER, parts=others)] if others or not results else turns


def _tool(tool: Fields) -> Tool:
    kind = tool.text("type")
    if kind not in (None, "custom"):
        return HostedTool(dialect=NAME, type=kind, definition={"type": kind} | tool.rest())
    found = FunctionTool(
        name=tool.needed("name"),
        description=tool.text("description"),
        parameters=tool.mapping("input_schema"),
        strict=tool.flag("strict"),
        cache=read_cache(tool),
    )
    # How its input is cut into pieces, and who may call it by default.
    tool.raw("eager_input_streaming")
    if tool.peek("allowed_callers") == ["direct"]:
        tool.raw("allowed_callers")
    if tool.peek("defer_loading") is False:
        tool.raw("defer_loading")
    tool.end()
    return found


def _tool_choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    wanted = fields.object("tool_choice")
    if wanted is None:
        return None, None
    kind, single = wanted.needed("type"), wanted.flag("disable_parallel_tool_use")
    parallel = None if single is None else not single
    if kind == "tool":
        return ToolChoice(mode=ToolMode.NAMED, name=wanted.needed("name")), parallel
    if kind not in _MODES:
        raise wanted.wrong("type", "'auto', 'any', 'tool' or 'none'")
    return ToolChoice(mode=_MODES[kind]), parallel


def _output(fields: Fields, config: Fields) -> OutputFormat | None:
    wanted = config.object("format") or fields.object("output_format")
    if wanted is None:
        return None
    if wanted.needed("type") != "json_schema":
        raise wanted.wrong("type", "'json_schema'")
    schema = wanted.mapping("schema")
    if schema is None:
        raise wanted.missing("schema")
    wanted.end()
    # What is asked for so is kept to the letter.
    return OutputFormat(kind=OutputKind.JSON_SCHEMA, schema=schema, strict=True)


def _reasoning(fields: Fields, config: Fields) -> Reasoning | None:
    """A kind of thinking that no other dialect has stays among the extras."""
    effort = config.text("effort")
    wanted = fields.peek("thinking")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in ("enabled", "adaptive", "disabled"):
        return None if effort is None else Reasoning(effort=effort)
    thinking = fields.object("thinking") or Fields({})
    budget = thinking.integer("budget_tokens")
    if kind == "enabled" and budget is None:
        raise thinking.missing("budget_tokens")
    return Reasoning(
        effort=effort,
        budget_tokens=budget,
        is_adaptive=kind == "adaptive",
        is_enabled=kind != "disabled",
        summary=thinking.text("display"),
    )


def _forget_edits_of_thoughts(fields: Fields) -> None:
    """Which thoughts of earlier turns are kept is for their maker alone, and others get none."""
    match fields.peek("context_management"):
        case {"edits": [*edits]} if all(_is_of_thoughts(edit) for edit in edits):
            fields.raw("context_management")


def _is_of_thoughts(edit: object) -> bool:
    kind = edit.get("type") if isinstance(edit, dict) else None
    return isinstance(kind, str) and kind.startswith("clear_thinking")


def _left_of(name: str, fields: Fields) -> JsonObject:
    left = fields.rest()
    return {name: left} if left else {}
