from typing import Any

import msgspec

from adapters.dialects.guarding.chat_stream import ChatStream
from adapters.dialects.guarding.messages_stream import MessagesStream
from adapters.dialects.guarding.responses_stream import ResponsesStream, TypedStream
from adapters.dialects.guarding.walking import Walk
from application.inference.guarding.ports import ContentFormats, OpenChannel, StreamFormat
from application.inference.ports import Operation
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError

_decode = msgspec.json.Decoder().decode
_TYPED = frozenset({Operation.IMAGE, Operation.TRANSCRIPTION})
_encode = msgspec.json.Encoder().encode
# No JSON, no UTF-8, or nested too deeply.
_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
# Of other types than its format wants, or without what that needs.
_FORMLESS = (*_UNREADABLE, LookupError, TypeError, AttributeError)


class DialectContentFormats(ContentFormats):
    """Operations that are no conversation have their texts in members of the same names."""

    def request(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes:
        try:
            # Written anew, as a name that stands there twice would be another thing to others.
            return _encode(Walk(opens, is_answer=False).over(_decode(body)))
        except _UNREADABLE as error:
            raise InvalidError("The body of the request is no JSON that can be read.") from error

    def answer(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes:
        walk = Walk(opens, is_answer=True)
        try:
            seen = walk.over(_decode(body))
            return _encode(seen) if walk.has_changed else body
        except _UNREADABLE as error:
            raise ProviderFailedError("The model's answer is no JSON that can be read.") from error

    def texts_of(self, operation: Operation, body: bytes) -> list[str]:
        try:
            return _texts_of(operation, _decode(body))
        except _FORMLESS as error:
            raise ProviderFailedError("The model's answer is none of its format.") from error

    def stream(
        self, operation: Operation, opens: OpenChannel, repeats: OpenChannel, *, holds_end: bool
    ) -> StreamFormat:
        return SoundStream(_stream(operation, opens, repeats, holds_end=holds_end))


class SoundStream(StreamFormat):
    """Fails where an event is not what its format wants it to be: nobody can look at it."""

    def __init__(self, stream: StreamFormat) -> None:
        self._stream = stream

    @property
    def texts(self) -> list[str]:
        return self._stream.texts

    def feed(self, block: bytes) -> bytes:
        try:
            return self._stream.feed(block)
        except _FORMLESS as error:
            raise ProviderFailedError("The model's stream is none of its format.") from error

    def end(self) -> bytes:
        try:
            return self._stream.end()
        except _FORMLESS as error:
            raise ProviderFailedError("The model's stream is none of its format.") from error

    def cut(self) -> bytes | None:
        try:
            return self._stream.cut()
        except _FORMLESS:
            # What it would be made of was none of its format.
            return None


def _stream(
    operation: Operation, opens: OpenChannel, repeats: OpenChannel, *, holds_end: bool
) -> StreamFormat:
    if operation is Operation.MESSAGES:
        return MessagesStream(opens, holds_end=holds_end)
    if operation is Operation.RESPONSES:
        return ResponsesStream(opens, repeats, holds_end=holds_end)
    if operation in _TYPED:
        return TypedStream(opens, repeats, holds_end=holds_end)
    return ChatStream(opens, repeats, holds_end=holds_end)


def _texts_of(operation: Operation, answer: Any) -> list[str]:
    if operation is Operation.MESSAGES:
        return _of_parts(answer.get("content") or [])
    if operation is Operation.RESPONSES:
        items = answer.get("output") or []
        if any(item.get("type", "").endswith("_call") for item in items):
            return []
        contents = [item.get("content") or [] for item in items if item["type"] == "message"]
        return [part["text"] for parts in contents for part in parts if "text" in part]
    said = [one.get("message") or one for one in answer.get("choices") or []]
    texts = [one.get("content", one.get("text")) for one in said if not one.get("tool_calls")]
    return [text for text in texts if isinstance(text, str)]


def _of_parts(parts: list[dict[str, Any]]) -> list[str]:
    if any(part.get("type") == "tool_use" for part in parts):
        return []
    text = "".join(part["text"] for part in parts if part.get("type") == "text")
    return [text] if text else []
