from typing import Any

from adapters.dialects.allowed_tools import allowed_among
from adapters.dialects.fields import Fields, unsupported
from adapters.dialects.openai_chat.parts import read_cache
from adapters.dialects.openai_chat.read_messages import read_messages
from adapters.dialects.openai_chat.words import NAME
from domain.inference.conversation.request import (
    FunctionTool,
    GenerationRequest,
    HostedTool,
    JsonObject,
    OutputFormat,
    OutputKind,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)

# How OpenAI once asked for tools; the answer then has to be in that form too.
LEGACY_TOOLS = "functions"

_MODES = {"auto": ToolMode.AUTO, "none": ToolMode.NONE, "required": ToolMode.REQUIRED}
_OUTPUTS = {"text": OutputKind.TEXT, "json_object": OutputKind.JSON}


def read_request(body: bytes) -> GenerationRequest:
    fields = Fields.of(body)
    options = fields.object("stream_options")
    limits = [fields.integer(name) for name in ("max_completion_tokens", "max_tokens")]
    if fields.peek("modalities") == ["text"]:
        fields.raw("modalities")
    legacy = fields.peek(LEGACY_TOOLS)
    tools = tuple(_tool(tool) for tool in fields.objects("tools"))
    tools += tuple(_function(tool) for tool in fields.objects(LEGACY_TOOLS))
    choice = _tool_choice(fields)
    allowed = allowed_among(tools, fields.peek("tool_choice"))
    if allowed is not None:
        fields.raw("tool_choice")
        tools, choice = allowed
    return GenerationRequest(
        dialect=NAME,
        model=fields.needed("model"),
        turns=read_messages(fields),
        stream=fields.flag("stream") or False,
        include_usage=bool(options and options.flag("include_usage")),
        max_output_tokens=next((limit for limit in limits if limit is not None), None),
        sampling=_sampling(fields),
        choices=fields.integer("n") or 1,
        tools=tools,
        tool_choice=choice,
        parallel_tools=fields.flag("parallel_tool_calls"),
        output=_output(fields),
        reasoning=_reasoning(fields),
        verbosity=fields.text("verbosity"),
        user=fields.text("user"),
        metadata=_metadata(fields),
        service_tier=fields.text("service_tier"),
        extras=fields.rest() | ({LEGACY_TOOLS: legacy} if legacy else {}),
    )


def _sampling(fields: Fields) -> Sampling:
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        seed=fields.integer("seed"),
        presence_penalty=fields.number("presence_penalty"),
        frequency_penalty=fields.number("frequency_penalty"),
        logit_bias=fields.mapping("logit_bias"),
        stop=fields.texts("stop"),
        logprobs=fields.flag("logprobs") or False,
        top_logprobs=fields.integer("top_logprobs"),
    )


def _tool(tool: Fields) -> Tool:
    kind = tool.needed("type")
    if kind != "function":
        return HostedTool(dialect=NAME, type=kind, definition={"type": kind} | tool.rest())
    cache = read_cache(tool)
    function = tool.object("function")
    if function is None:
        raise tool.missing("function")
    tool.end()
    return _function(function, cache)


def _function(function: Fields, cache: str | None = None) -> FunctionTool:
    found = FunctionTool(
        name=function.needed("name"),
        description=function.text("description"),
        parameters=function.mapping("parameters"),
        strict=function.flag("strict"),
        cache=cache,
    )
    function.end()
    return found


def _tool_choice(fields: Fields) -> ToolChoice | None:
    """The choice of a hosted tool stays among the extras."""
    if fields.has("function_call"):
        return _chosen(fields, "function_call", fields.peek("function_call"))
    match fields.peek("tool_choice"):
        case {"type": "function", "function": {"name": str()} as function}:
            return _chosen(fields, "tool_choice", function)
        case str() as word:
            return _chosen(fields, "tool_choice", word)
    return None


def _chosen(fields: Fields, name: str, wanted: Any) -> ToolChoice:
    fields.raw(name)
    match wanted:
        case {"name": str() as tool}:
            return ToolChoice(mode=ToolMode.NAMED, name=tool)
        case str() as word if word in _MODES:
            return ToolChoice(mode=_MODES[word])
    raise fields.wrong(name, "'none', 'auto', 'required' or a function")


def _output(fields: Fields) -> OutputFormat | None:
    wanted = fields.object("response_format")
    if wanted is None:
        return None
    kind = wanted.needed("type")
    if kind in _OUTPUTS:
        return OutputFormat(kind=_OUTPUTS[kind])
    schema = wanted.object("json_schema")
    if kind != "json_schema":
        raise wanted.wrong("type", "'text', 'json_object' or 'json_schema'")
    if schema is None:
        raise wanted.missing("json_schema")
    found = OutputFormat(
        kind=OutputKind.JSON_SCHEMA,
        name=schema.text("name"),
        schema=schema.mapping("schema"),
        strict=schema.flag("strict"),
        description=schema.text("description"),
    )
    schema.end()
    return found


def _reasoning(fields: Fields) -> Reasoning | None:
    """OpenAI's ``reasoning_effort``, or ``reasoning`` as OpenRouter has it."""
    effort = fields.text("reasoning_effort")
    wanted = fields.object("reasoning")
    if wanted is None:
        return None if effort is None else Reasoning(effort=effort, is_enabled=effort != "none")
    found = Reasoning(
        effort=wanted.text("effort") or effort,
        budget_tokens=wanted.integer("max_tokens"),
        is_enabled=wanted.flag("enabled") is not False,
        summary=wanted.text("summary"),
    )
    if wanted.flag("exclude"):
        raise unsupported("reasoning.exclude")
    wanted.end()
    return found


def _metadata(fields: Fields) -> dict[str, str]:
    found: JsonObject = fields.mapping("metadata") or {}
    if not all(isinstance(value, str) for value in found.values()):
        raise fields.wrong("metadata", "an object of texts")
    return found
