"""Turns as OpenAI's messages."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from adapters.dialects.fields import unsupported
from adapters.dialects.openai_chat.parts import write_call, write_part
from adapters.dialects.openai_chat.thinking import write_thinking
from adapters.dialects.openai_chat.words import NAME
from domain.inference.conversation.parts import (
    Foreign,
    Image,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import JsonObject, Role, Turn

_FAILED = "Error: "


def write_messages(turns: Sequence[Turn], *, with_cache: bool) -> list[JsonObject]:
    """Raises ``UnsupportedByModelError``. Images and files that a tool gave back follow its result
    as a message of the user, because results are text here."""
    written: list[JsonObject] = []
    for index, turn in enumerate(turns):
        path = f"messages[{index}].content"
        match turn.role:
            case Role.TOOL:
                written += _results(turn, path, with_cache=with_cache)
            case Role.ASSISTANT:
                written.append(_assistant(turn, path, with_cache=with_cache))
            case role:
                message: JsonObject = {"role": role.value}
                if turn.name is not None:
                    message["name"] = turn.name
                message["content"] = _content(turn.parts, path, with_cache=with_cache)
                written.append(message)
    return written


def write_said(parts: Sequence[Part], path: str, *, with_cache: bool = False) -> JsonObject:
    """The members of an assistant's message. Thoughts that another dialect has signed are for
    their maker alone and left out."""
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    calls = [_call(part, path) for part in parts if isinstance(part, ToolCall | Foreign)]
    said = [part for part in parts if not isinstance(part, Thinking | ToolCall | Foreign)]
    message: JsonObject = {"content": _content(said, path, with_cache=with_cache) or None}
    refusals = [part for part in said if isinstance(part, Refusal)]
    if said and len(refusals) == len(said) == 1:
        message |= {"content": None, "refusal": refusals[0].text}
    if calls:
        message["tool_calls"] = calls
    return message | write_thinking(thoughts)


def _assistant(turn: Turn, path: str, *, with_cache: bool) -> JsonObject:
    message: JsonObject = {"role": "assistant"}
    if turn.name is not None:
        message["name"] = turn.name
    mine = [part for part in turn.parts if not _is_strange(part)]
    return message | write_said(mine, path, with_cache=with_cache)


def _is_strange(part: Part) -> bool:
    """Whether it is a thought that only another provider can read."""
    return isinstance(part, Thinking) and part.opaque_of not in (None, NAME)


def _call(part: ToolCall | Foreign, path: str) -> JsonObject:
    if isinstance(part, ToolCall):
        return write_call(part)
    if part.dialect != NAME:
        raise unsupported(path, "a part of it can only be said in another format")
    found: JsonObject = msgspec.json.decode(part.json)
    return found


def _content(parts: Sequence[Part], path: str, *, with_cache: bool) -> str | list[Any]:
    """A lone text as a string, which every server reads."""
    if not parts:
        return ""
    only = parts[0]
    if len(parts) == 1 and isinstance(only, Text) and not (with_cache and only.cache):
        return only.text
    return [write_part(part, path, with_cache=with_cache) for part in parts]


def _results(turn: Turn, path: str, *, with_cache: bool) -> Iterator[JsonObject]:
    shown: list[Part] = []
    for part in turn.parts:
        if not isinstance(part, ToolResult):
            raise unsupported(path)
        message: JsonObject = {"role": "tool", "tool_call_id": part.call_id}
        if part.name is not None:
            message["name"] = part.name
        if with_cache and part.cache:
            message["cache_control"] = {"type": "ephemeral", "ttl": part.cache}
        message["content"] = _content(_texts(part), path, with_cache=with_cache)
        yield message
        attached = [piece for piece in part.parts if not isinstance(piece, Text)]
        if attached:
            what = "image" if isinstance(attached[0], Image) else "file"
            shown += [Text(text=f"The {what} of the result of {part.call_id}:"), *attached]
    if shown:
        content = [write_part(piece, path, with_cache=with_cache) for piece in shown]
        yield {"role": "user", "content": content}


def _texts(result: ToolResult) -> list[Text]:
    texts = [piece for piece in result.parts if isinstance(piece, Text)]
    if not result.is_error:
        return texts
    first = texts[0] if texts else Text(text="")
    return [Text(text=_FAILED + first.text, cache=first.cache), *texts[1:]]
