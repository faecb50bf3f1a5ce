"""Answers as Gemini gives them, whole and in chunks."""

from typing import Any

import msgspec

USAGE = {
    "promptTokenCount": 12,
    "candidatesTokenCount": 3,
    "totalTokenCount": 15,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
}


def candidate(
    *parts: dict[str, Any], finish: str | None = None, index: int = 0, **members: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"index": index, "content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        said["finishReason"] = finish
    return said | members


def answer_of(*candidates: dict[str, Any], usage: object = USAGE, **members: Any) -> bytes:
    body: dict[str, Any] = {
        "candidates": list(candidates),
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r-1",
    }
    if usage is not None:
        body["usageMetadata"] = usage
    return msgspec.json.encode(body | members)


def event(body: bytes) -> bytes:
    return b"data: " + body + b"\r\n\r\n"


def stream_of(*words: str, usage: object = USAGE) -> list[bytes]:
    """One event for each word; the last says why it stops, and the usage."""
    *first, last = words
    return [
        *(event(answer_of(candidate({"text": word}), usage=None)) for word in first),
        event(answer_of(candidate({"text": last}, finish="STOP"), usage=usage)),
    ]


def error_of(code: int, status: str, message: str = "no", *details: dict[str, Any]) -> bytes:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return msgspec.json.encode({"error": error})
