"""Parts as Anthropic's content blocks."""

import base64
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.dialects.anthropic.signatures import signature_of
from adapters.dialects.anthropic.words import NAME
from adapters.dialects.fields import NOT_JSON, unsupported
from domain.inference.conversation.parts import (
    File,
    Foreign,
    Image,
    Inline,
    Part,
    Refusal,
    Source,
    StoredFile,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import JsonObject

_PDF, _PLAIN = "application/pdf", "text/plain"
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")


def write_blocks(parts: Iterable[Part], path: str) -> list[JsonObject]:
    """Blocks of a request. Raises ``UnsupportedByModelError`` that names the ``path``. Thoughts
    that Anthropic has not signed are left out: it takes no others."""
    return [
        write_block(part, path)
        for part in parts
        if not (isinstance(part, Thinking) and part.opaque_of != NAME)
    ]


def write_block(part: Part, path: str) -> JsonObject:
    written = _written(part, path)
    cache = getattr(part, "cache", None)
    return written if cache is None else written | {"cache_control": cache_control(cache)}


def cache_control(cache: str) -> JsonObject:
    return {"type": "ephemeral"} if cache == "5m" else {"type": "ephemeral", "ttl": cache}


def write_thought(thought: Thinking) -> JsonObject:
    if thought.is_redacted:
        return {"type": "redacted_thinking", "data": signature_of(thought)}
    return {"type": "thinking", "thinking": thought.text, "signature": signature_of(thought)}


def _written(part: Part, path: str) -> JsonObject:
    match part:
        case Text() | Refusal():
            return {"type": "text", "text": part.text}
        case Thinking():
            return write_thought(part)
        case ToolCall():
            return _call(part, path)
        case ToolResult():
            return _result(part, path)
    return _attached(part, path)


def _attached(part: Part, path: str) -> JsonObject:
    match part:
        case Image():
            return {"type": "image", "source": _source(part.source)}
        case File():
            document: JsonObject = {"type": "document", "source": _document(part.source, path)}
            return document if part.name is None else document | {"title": part.name}
        case Foreign(dialect=dialect) if dialect == NAME:
            found: JsonObject = msgspec.json.decode(part.json)
            return found
    raise unsupported(path, "a part of it can only be said in another format")


def _source(source: Source) -> JsonObject:
    match source:
        case Inline():
            return {"type": "base64", "media_type": source.media_type, "data": source.data}
        case StoredFile():
            return {"type": "file", "file_id": source.id}
    return {"type": "url", "url": source.url}


def _document(source: Source, path: str) -> JsonObject:
    if not isinstance(source, Inline) or source.media_type == _PDF:
        return _source(source)
    if source.media_type != _PLAIN:
        raise unsupported(path, "its documents are PDF or plain text")
    try:
        text = base64.b64decode(source.data).decode()
    except ValueError:
        raise unsupported(path, "it has a text that is not UTF-8") from None
    return {"type": "text", "media_type": _PLAIN, "data": text}


def _call(call: ToolCall, path: str) -> JsonObject:
    return {
        "type": "tool_use",
        "id": _id(call.id),
        "name": call.name,
        "input": arguments_of(call, path),
    }


def arguments_of(call: ToolCall, path: str) -> JsonObject:
    """Raises ``UnsupportedByModelError`` for arguments that are no JSON object."""
    try:
        found: Any = msgspec.json.decode(call.arguments or "{}")
    except NOT_JSON:
        found = None
    if not isinstance(found, dict):
        raise unsupported(path, f"the arguments of the call of '{call.name}' are no JSON object")
    return found


def _result(result: ToolResult, path: str) -> JsonObject:
    written: JsonObject = {"type": "tool_result", "tool_use_id": _id(result.call_id)}
    if result.parts:
        written["content"] = [write_block(part, path) for part in result.parts]
    if result.is_error:
        written["is_error"] = True
    return written


def _id(name: str) -> str:
    """Anthropic refuses ids of other providers that have other characters."""
    return _NOT_IN_AN_ID.sub("_", name)
