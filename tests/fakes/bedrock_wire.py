"""Answers as Amazon Bedrock's Converse gives them, whole and in frames."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec

USAGE = {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15}
EVENT_STREAM = "application/vnd.amazon.eventstream"


def converse_answer(
    *blocks: dict[str, Any], stop: str = "end_turn", usage: object = USAGE, **members: Any
) -> bytes:
    body = {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": stop,
        "usage": usage,
        "metrics": {"latencyMs": 100},
    }
    return msgspec.json.encode(body | members)


def raw_header(name: str, kind: int, value: bytes) -> bytes:
    encoded = name.encode()
    return struct.pack(">B", len(encoded)) + encoded + struct.pack(">B", kind) + value


def text_header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return raw_header(name, 7, struct.pack(">H", len(encoded)) + encoded)


def raw_frame(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    return raw_frame(b"".join(text_header(*one) for one in headers.items()), payload)


def event(kind: str, **members: Any) -> bytes:
    """``p`` is the padding that Bedrock puts into its events."""
    headers = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return frame(headers, msgspec.json.encode(members | {"p": "abcd"}))


def exception(kind: str, message: str = "no") -> bytes:
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, msgspec.json.encode({"message": message}))


def text_delta(text: str, index: int = 0) -> bytes:
    return event("contentBlockDelta", delta={"text": text}, contentBlockIndex=index)


def stream_of(*words: str, usage: object = USAGE) -> Sequence[bytes]:
    return [
        event("messageStart", role="assistant"),
        *(text_delta(word) for word in words),
        event("contentBlockStop", contentBlockIndex=0),
        event("messageStop", stopReason="end_turn"),
        event("metadata", usage=usage, metrics={"latencyMs": 100}),
    ]
