"""OpenAI's messages as turns."""

from adapters.dialects.fields import Fields, unsupported
from adapters.dialects.openai_chat.parts import read_cache, read_call, read_images, read_parts
from adapters.dialects.openai_chat.thinking import read_thinking
from domain.inference.conversation.parts import (
    File,
    Image,
    Part,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import Role, Turn

# What an assistant's message has of an answer's, and no request needs; the last is LiteLLM's.
_OF_ANSWERS = ("annotations", "provider_specific_fields")
_LEGACY_ID = "call_function_{}"


def read_messages(body: Fields) -> tuple[Turn, ...]:
    """Results of tools that follow each other are one turn."""
    turns: list[Turn] = []
    calls = 0
    for message in body.objects("messages"):
        role = message.needed("role")
        if role == "function":
            turn = _legacy_result(message, _LEGACY_ID.format(calls))
        elif message.has("function_call"):
            calls += 1
            turn = _assistant(message, _LEGACY_ID.format(calls))
        else:
            turn = _turn(role, message)
        message.end(*_OF_ANSWERS)
        if turns and turns[-1].role is Role.TOOL is turn.role:
            turns[-1] = Turn(role=Role.TOOL, parts=turns[-1].parts + turn.parts)
        else:
            turns.append(turn)
    if not turns:
        raise body.missing("messages")
    return tuple(turns)


def read_said(message: Fields, legacy_id: str = "call_0") -> tuple[Part, ...]:
    """What an assistant says, thinks and calls, in this order."""
    said = [part for part in read_parts(message) if part != Text(text="")]
    refusal = message.text("refusal")
    if refusal:
        said.append(Refusal(text=refusal))
    calls = [read_call(call, index) for index, call in enumerate(message.objects("tool_calls"))]
    legacy = message.object("function_call")
    if legacy is not None:
        arguments = legacy.text("arguments") or ""
        calls.append(ToolCall(id=legacy_id, name=legacy.needed("name"), arguments=arguments))
    return (*read_thinking(message), *said, *read_images(message), *calls)


def _turn(role: str, message: Fields) -> Turn:
    match role:
        case "system" | "developer" | "user":
            name = message.text("name")
            return Turn(role=Role(role), parts=read_parts(message), name=name)
        case "assistant":
            return _assistant(message)
        case "tool":
            result = _result(message, message.needed("tool_call_id"))
            return Turn(role=Role.TOOL, parts=(result,))
    raise message.wrong("role", "system, developer, user, assistant, tool or function")


def _assistant(message: Fields, legacy_id: str = "call_0") -> Turn:
    if message.has("audio"):
        raise unsupported(message.path("audio"))
    name = message.text("name")
    return Turn(role=Role.ASSISTANT, parts=read_said(message, legacy_id), name=name)


def _legacy_result(message: Fields, call_id: str) -> Turn:
    return Turn(role=Role.TOOL, parts=(_result(message, call_id),))


def _result(message: Fields, call_id: str) -> ToolResult:
    parts: list[Text | Image | File] = []
    for part in read_parts(message):
        if not isinstance(part, Text | Image | File):
            raise unsupported(message.path("content"))
        if part != Text(text=""):
            parts.append(part)
    return ToolResult(
        call_id=call_id,
        parts=tuple(parts),
        name=message.text("name"),
        cache=read_cache(message),
    )
