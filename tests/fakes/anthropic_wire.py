"""Answers and streams as Anthropic's API sends them."""

from typing import Any

import msgspec

from tests.fakes.openai_wire import UPSTREAM_NAME
from tests.fakes.upstream import stream_head

REQUEST_ID = "request-id: req_up"
HEAD = stream_head(f"text/event-stream\r\n{REQUEST_ID}")
PING = b'event: ping\ndata: {"type": "ping"}\n\n'


def sse(kind: str, **members: Any) -> bytes:
    data = msgspec.json.encode({"type": kind} | members)
    return f"event: {kind}\n".encode() + b"data: " + data + b"\n\n"


def usage_of(input_tokens: int, output_tokens: int, **more: Any) -> dict[str, Any]:
    return {"input_tokens": input_tokens, "output_tokens": output_tokens, **more}


def message(
    *content: dict[str, Any],
    usage: dict[str, Any] | None = None,
    stop_reason: str | None = "end_turn",
) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": UPSTREAM_NAME,
        "content": list(content),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage or usage_of(12, 3),
    }


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def started(**usage: Any) -> bytes:
    return sse("message_start", message=message(usage=usage_of(12, 1, **usage), stop_reason=None))


def opened(index: int, block: dict[str, Any]) -> bytes:
    return sse("content_block_start", index=index, content_block=block)


def delta(index: int, kind: str, **members: Any) -> bytes:
    return sse("content_block_delta", index=index, delta={"type": kind} | members)


def word(said: str, index: int = 0) -> bytes:
    return delta(index, "text_delta", text=said)


def stopped(stop_reason: str = "end_turn", output_tokens: int = 3) -> list[bytes]:
    said = {"stop_reason": stop_reason, "stop_sequence": None}
    return [
        sse("message_delta", delta=said, usage={"output_tokens": output_tokens}),
        sse("message_stop"),
    ]


def stream_of(*words: str) -> list[bytes]:
    return [
        started(),
        PING,
        opened(0, text("")),
        *map(word, words),
        sse("content_block_stop", index=0),
        *stopped(),
    ]


def error_of(kind: str, said: str) -> bytes:
    error = {"type": kind, "message": said}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": "req_up"})
