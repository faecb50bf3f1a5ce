"""Answers and streams as Cohere sends them."""

from typing import Any

import msgspec

USAGE: dict[str, Any] = {
    "billed_units": {"input_tokens": 12, "output_tokens": 3},
    "tokens": {"input_tokens": 80, "output_tokens": 5},
}


def answer_of(*content: dict[str, Any], finish: str = "COMPLETE", **message: Any) -> bytes:
    said = {"role": "assistant", "content": list(content) or None} | message
    body = {"id": "c-1", "finish_reason": finish, "message": said, "usage": USAGE}
    return msgspec.json.encode(body)


def event(kind: str, **members: Any) -> bytes:
    data = msgspec.json.encode({"type": kind} | members)
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def delta(kind: str, index: int = 0, **message: Any) -> bytes:
    return event(kind, index=index, delta={"message": message})


def start() -> bytes:
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    return event("message-start", id="c-1", delta={"message": message})


def text(*words: str) -> list[bytes]:
    return [
        delta("content-start", content={"type": "text", "text": ""}),
        *(delta("content-delta", content={"text": word}) for word in words),
        event("content-end", index=0),
    ]


def end(finish: str = "COMPLETE") -> bytes:
    return event("message-end", delta={"finish_reason": finish, "usage": USAGE})


def stream_of(*words: str) -> list[bytes]:
    return [start(), *text(*words), end()]
