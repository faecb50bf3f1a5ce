from typing import Any

import msgspec

from adapters.dialects.guarding.chat_stream import ChatStream
from adapters.dialects.guarding.messages_stream import MessagesStream
from adapters.dialects.guarding.responses_stream import ResponsesStream
from adapters.dialects.guarding.walking import Walk
from application.inference.guarding.ports import ContentFormats, OpenChannel, StreamFormat
from application.inference.ports import Operation
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class DialectContentFormats(ContentFormats):
    """Operations that are no conversation have their texts in members of the same names."""

    def request(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes:
        try:
            return _walked(body, Walk(opens, is_answer=False))
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidError("The body of the request is no JSON that can be read.") from error

    def answer(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes:
        try:
            return _walked(body, Walk(opens, is_answer=True))
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProviderFailedError("The model's answer is no JSON that can be read.") from error

    def texts_of(self, operation: Operation, body: bytes) -> list[str]:
        answer: Any = _decode(body)
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

    def stream(
        self, operation: Operation, opens: OpenChannel, repeats: OpenChannel, *, holds_end: bool
    ) -> StreamFormat:
        if operation is Operation.MESSAGES:
            return MessagesStream(opens, holds_end=holds_end)
        if operation is Operation.RESPONSES:
            return ResponsesStream(opens, repeats, holds_end=holds_end)
        return ChatStream(opens, holds_end=holds_end)


def _walked(body: bytes, walk: Walk) -> bytes:
    seen = walk.over(_decode(body))
    return _encode(seen) if walk.has_changed else body


def _of_parts(parts: list[dict[str, Any]]) -> list[str]:
    if any(part.get("type") == "tool_use" for part in parts):
        return []
    text = "".join(part["text"] for part in parts if part.get("type") == "text")
    return [text] if text else []
