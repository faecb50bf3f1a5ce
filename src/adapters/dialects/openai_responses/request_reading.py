from adapters.dialects.fields import Fields
from adapters.dialects.openai_responses.item_reading import ItemReader
from adapters.dialects.openai_responses.options import read_format, read_reasoning
from adapters.dialects.openai_responses.tools import read_calling
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.parts import Text
from domain.inference.conversation.request import (
    GenerationRequest,
    HostedTool,
    JsonObject,
    Role,
    Sampling,
    Tool,
    Turn,
)
from domain.shared.errors import FieldError, InvalidError

LOGPROBS = "message.output_text.logprobs"
# What answers have in any case.
_ALWAYS_INCLUDED = frozenset(
    {LOGPROBS, "reasoning.encrypted_content", "message.input_image.image_url"}
)
# What the door and its store take care of.
_AT_THE_DOOR = ("store", "stream_options")
REFUSED = {
    "background": "Responses cannot be made in the background here.",
    "conversation": "Conversations are not kept here; use 'previous_response_id' or 'input'.",
    "prompt": "Prompt templates are not kept here; send 'instructions' and 'input'.",
}


def read_request(body: bytes) -> GenerationRequest:
    """``previous_response_id`` must have been replaced by the items that it stands for."""
    fields = Fields.of(body)
    model = fields.needed("model")
    refuse_what_is_not_here(fields)
    if fields.text("previous_response_id") is not None:
        raise fields.wrong("previous_response_id", "the items themselves in 'input'")
    for name in _AT_THE_DOOR:
        fields.raw(name)
    tools, choice, other_choice = read_calling(fields)
    include, included = _read_include(fields, tools)
    text = fields.object("text") or Fields({}, "text")
    output, verbosity = read_format(text), text.text("verbosity")
    text.end()
    return GenerationRequest(
        dialect=NAME,
        model=model,
        turns=(*_instructions(fields), *_read_input(fields)),
        stream=bool(fields.flag("stream")),
        include_usage=True,
        max_output_tokens=fields.integer("max_output_tokens"),
        sampling=_read_sampling(fields, LOGPROBS in include),
        tools=tools,
        tool_choice=choice,
        parallel_tools=fields.flag("parallel_tool_calls"),
        output=output,
        reasoning=read_reasoning(fields),
        verbosity=verbosity,
        user=fields.text("user"),
        metadata=_read_metadata(fields),
        service_tier=fields.text("service_tier"),
        extras=_extras(fields, tools, {"tool_choice": other_choice, "include": included}),
    )


def refuse_what_is_not_here(fields: Fields) -> None:
    """Raises ``InvalidError`` for members whose meaning is a service that nobody offers here."""
    for name, reason in REFUSED.items():
        if fields.raw(name):
            message = f"Unsupported parameter: '{name}'. {reason}"
            raise InvalidError(message, param=name, errors=(FieldError(name, message),))


def _instructions(fields: Fields) -> tuple[Turn, ...]:
    text = fields.text("instructions")
    return () if text is None else (Turn(role=Role.SYSTEM, parts=(Text(text=text),)),)


def _read_input(fields: Fields) -> tuple[Turn, ...]:
    given = fields.peek("input")
    if isinstance(given, str):
        fields.raw("input")
        return (Turn(role=Role.USER, parts=(Text(text=given),)),)
    items = fields.list("input")
    if items is None:
        raise fields.missing("input")
    reader = ItemReader(is_strict=True)
    for index, item in enumerate(items):
        reader.read(item, f"input[{index}]")
    return reader.turns


def _read_sampling(fields: Fields, wants_logprobs: bool) -> Sampling:
    top = fields.integer("top_logprobs")
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        logprobs=wants_logprobs or bool(top),
        top_logprobs=top or None,
    )


def _read_include(fields: Fields, tools: tuple[Tool, ...]) -> tuple[frozenset[str], list[str]]:
    """All that is wanted, and of that what only the provider of hosted tools can give."""
    wanted = fields.texts("include")
    hosts = any(isinstance(tool, HostedTool) for tool in tools)
    others = [name for name in wanted if name not in _ALWAYS_INCLUDED] if hosts else []
    return frozenset(wanted), others


def _read_metadata(fields: Fields) -> dict[str, str]:
    metadata = fields.mapping("metadata") or {}
    for name, value in metadata.items():
        if not isinstance(value, str):
            raise Fields({}, "metadata").wrong(name, "a string")
    return metadata


def _extras(fields: Fields, tools: tuple[Tool, ...], more: JsonObject) -> JsonObject:
    # It is what happens anyway.
    if fields.peek("truncation") == "disabled":
        fields.raw("truncation")
    # Without a tool that a provider runs itself there is nothing to limit.
    if not any(isinstance(tool, HostedTool) for tool in tools):
        fields.raw("max_tool_calls")
    return fields.rest() | {name: value for name, value in more.items() if value}
