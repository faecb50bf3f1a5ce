"""Answers of models that think: Mistral lists thoughts and text as parts of the content, where
clients of OpenAI's API know text, and thoughts as ``reasoning_content`` beside it."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.sse import data_of, events_of
from application.inference.ports import ProviderStream, StreamReport

_LISTS = (b'"content":[', b'"content": [')

# References say where the text around them comes from, and have none.
_TOLD_APART = ("text", "thinking", "reference", "tool_reference")


def plain_answer(body: bytes) -> bytes:
    """The body with its lists told apart; all others byte for byte."""
    if not any(mark in body for mark in _LISTS):
        return body
    try:
        answer = msgspec.json.decode(body)
        for choice in answer["choices"]:
            for said in (choice.get("message"), choice.get("delta")):
                if said is not None and isinstance(said.get("content"), list):
                    _tell_apart(said)
    except (*NOT_JSON, KeyError, TypeError, AttributeError):
        # Of another shape than anything known: it is the client's business.
        return body
    return msgspec.json.encode(answer)


def _tell_apart(said: dict[str, Any]) -> None:
    parts = said["content"]
    if any(part.get("type") not in _TOLD_APART for part in parts):
        return
    said["content"] = "".join(part["text"] for part in parts if part["type"] == "text")
    thoughts = [part["thinking"] for part in parts if part["type"] == "thinking"]
    if thoughts:
        said["reasoning_content"] = "".join(
            piece if isinstance(piece, str) else "".join(one.get("text", "") for one in piece)
            for piece in thoughts
        )


class PlainStream(AsyncIterator[bytes], ProviderStream):
    def __init__(self, source: ProviderStream) -> None:
        self._source = source
        self._blocks = aiter(source)

    @property
    def report(self) -> StreamReport:
        return self._source.report

    async def __anext__(self) -> bytes:
        block = await anext(self._blocks)
        if not any(mark in block for mark in _LISTS):
            return block
        return b"".join(_plain_event(event) for event in events_of(block))

    async def aclose(self) -> None:
        await self._source.aclose()


def _plain_event(event: bytes) -> bytes:
    data = data_of(event)
    plain = plain_answer(data)
    return event if plain is data else b"data: " + plain + b"\n\n"
