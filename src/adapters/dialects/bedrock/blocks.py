"""The parts of a conversation as Converse's blocks."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from adapters.dialects.bedrock.families import KEEPS_PROMPTS, Family
from adapters.dialects.bedrock.media import audio_block, document_block, image_block
from adapters.dialects.fields import NOT_JSON, unsupported
from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
    Image,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import JsonObject
from domain.shared.errors import InvalidError

NAME = "bedrock"
_SHORT = "5m"
_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_ID_LENGTH = 32


def makers_of_thoughts(family: Family) -> str:
    """Claude's signatures are the same wherever it runs."""
    return "anthropic" if family is Family.CLAUDE else NAME


def cache_point(cache: str | None, family: Family) -> Iterator[JsonObject]:
    """A hint, which models that do not know it would refuse."""
    if cache is not None and family in KEEPS_PROMPTS:
        point = {"type": "default"} if cache == _SHORT else {"type": "default", "ttl": cache}
        yield {"cachePoint": point}


class BlockWriter:
    """Documents are numbered through the whole request."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._documents = 0

    def write(self, part: Part, path: str) -> Iterator[JsonObject]:
        """The blocks of one part; none for an empty text and for thoughts of others."""
        match part:
            case ToolCall():
                yield {"toolUse": _call(part, path)}
            case ToolResult():
                yield {"toolResult": self._result(part, path)}
            case Thinking():
                yield from self._thought(part)
            case _:
                yield from self._content(part, path)
        yield from cache_point(getattr(part, "cache", None), self._family)

    def _content(
        self, part: Text | Refusal | Image | Audio | File | Foreign, path: str
    ) -> Iterator[JsonObject]:
        match part:
            case Text() | Refusal():
                # Bedrock refuses texts that say nothing.
                if part.text.strip():
                    yield {"text": part.text}
            case Image():
                yield image_block(part, path)
            case Audio():
                yield audio_block(part)
            case File():
                self._documents += 1
                yield document_block(part, path, self._documents)
            case Foreign():
                yield _foreign(part, path)

    def _result(self, result: ToolResult, path: str) -> JsonObject:
        content = [block for part in result.parts for block in self._content(part, path)]
        written: JsonObject = {"toolUseId": _id(result.call_id), "content": content}
        if result.is_error:
            written["status"] = "error"
        return written

    def _thought(self, thought: Thinking) -> Iterator[JsonObject]:
        """What another maker's model thought means nothing here, and models do without."""
        if thought.opaque is None or thought.opaque_of != makers_of_thoughts(self._family):
            return
        if thought.is_redacted:
            yield {"reasoningContent": {"redactedContent": thought.opaque}}
        else:
            signed = {"text": thought.text, "signature": thought.opaque}
            yield {"reasoningContent": {"reasoningText": signed}}


def _call(call: ToolCall, path: str) -> JsonObject:
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except NOT_JSON as error:
        raise InvalidError(
            f"The arguments of the call '{call.id}' are no JSON object.", param=path
        ) from error
    return {"toolUseId": _id(call.id), "name": call.name, "input": arguments}


def _id(given: str) -> str:
    """Bedrock refuses ids of others that are long or strange; they always become the same ones."""
    return given if _ID.fullmatch(given) else sha256(given.encode()).hexdigest()[:_ID_LENGTH]


def _foreign(part: Foreign, path: str) -> JsonObject:
    if part.dialect != NAME:
        raise unsupported(path, "a part of it can only be said in another format")
    return msgspec.json.decode(part.json, type=dict[str, Any])
