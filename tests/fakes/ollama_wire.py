"""Answers and streams as Ollama sends them."""

from typing import Any

import msgspec

from tests.fakes.openai_wire import UPSTREAM_NAME

AT = "2026-11-21T12:00:00.123456789Z"
COUNTS: dict[str, Any] = {"prompt_eval_count": 12, "eval_count": 3, "total_duration": 5}


def answer_of(message: dict[str, Any], **members: Any) -> bytes:
    """A whole answer; the last line of a stream is one too."""
    said = {
        "model": UPSTREAM_NAME,
        "created_at": AT,
        "message": {"role": "assistant", "content": ""} | message,
        "done": True,
        "done_reason": "stop",
    }
    return msgspec.json.encode(said | COUNTS | members)


def line_of(message: dict[str, Any], **members: Any) -> bytes:
    said = {
        "model": UPSTREAM_NAME,
        "created_at": AT,
        "message": {"role": "assistant", "content": ""} | message,
        "done": False,
    }
    return msgspec.json.encode(said | members) + b"\n"


def stream_of(*words: str) -> list[bytes]:
    return [*(line_of({"content": word}) for word in words), answer_of({}) + b"\n"]
