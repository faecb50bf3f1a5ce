"""Anthropic's content blocks as parts."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from adapters.dialects.anthropic.signatures import read_signature
from adapters.dialects.anthropic.words import NAME
from adapters.dialects.fields import Fields, unsupported
from domain.inference.conversation.parts import (
    File,
    Foreign,
    Image,
    Inline,
    Part,
    Source,
    StoredFile,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)

_DEFAULT_CACHE = "5m"


def read_blocks(message: Fields, name: str = "content") -> list[Part]:
    """The content of a message: a text, or an array of blocks."""
    content = message.peek(name)
    if isinstance(content, str):
        message.raw(name)
        return [Text(text=content)]
    return [read_block(block) for block in message.objects(name)]


def read_block(block: Fields) -> Part:
    """Blocks that only Anthropic has are ``Foreign``."""
    kind = block.peek("type")
    if not isinstance(kind, str):
        raise block.missing("type")
    if kind not in _READERS:
        return Foreign(dialect=NAME, json=_json(block.rest()))
    found = _READERS[kind](block)
    block.raw("type")
    # Where a text comes from, and who called, are told in answers and come back with them.
    block.end("citations", "caller")
    return found


def read_cache(fields: Fields) -> str | None:
    control = fields.object("cache_control")
    return None if control is None else control.text("ttl") or _DEFAULT_CACHE


def _text(block: Fields) -> Text:
    return Text(text=block.needed("text"), cache=read_cache(block))


def _image(block: Fields) -> Image:
    return Image(source=_source(block), cache=read_cache(block))


def _thinking(block: Fields) -> Thinking:
    opaque, of = read_signature(block.text("signature") or "")
    return Thinking(text=block.needed("thinking"), opaque=opaque, opaque_of=of)


def _redacted(block: Fields) -> Thinking:
    opaque, of = read_signature(block.needed("data"))
    return Thinking(opaque=opaque, opaque_of=of, is_redacted=True)


def _document(block: Fields) -> File:
    found = File(source=_source(block), name=block.text("title"), cache=read_cache(block))
    citations = block.object("citations")
    if citations is not None and citations.flag("enabled"):
        raise unsupported(block.path("citations"))
    return found


def _source(block: Fields) -> Source:
    source = block.object("source")
    if source is None:
        raise block.missing("source")
    match source.needed("type"):
        case "base64":
            found: Source = Inline(
                media_type=source.needed("media_type"), data=source.needed("data")
            )
        case "text":
            data = base64.b64encode(source.needed("data").encode()).decode()
            found = Inline(media_type=source.text("media_type") or "text/plain", data=data)
        case "url":
            found = Url(url=source.needed("url"))
        case "file":
            found = StoredFile(id=source.needed("file_id"))
        case kind:
            raise unsupported(source.path("type"), f"sources of the type '{kind[:40]}' are unknown")
    source.end()
    return found


def _call(block: Fields) -> ToolCall:
    return ToolCall(
        id=block.needed("id"),
        name=block.needed("name"),
        arguments=_json(block.mapping("input") or {}),
        cache=read_cache(block),
    )


def _result(block: Fields) -> ToolResult:
    parts: list[Text | Image | File] = []
    for part in read_blocks(block):
        if not isinstance(part, Text | Image | File):
            raise unsupported(block.path("content"))
        if part != Text(text=""):
            parts.append(part)
    return ToolResult(
        call_id=block.needed("tool_use_id"),
        parts=tuple(parts),
        is_error=block.flag("is_error") or False,
        cache=read_cache(block),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_READERS: dict[str, Callable[[Fields], Part]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "tool_use": _call,
    "tool_result": _result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
