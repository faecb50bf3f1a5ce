"""The audit log of ``stoa chat --logfile``: one JSON object per line, version 1.0."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from application.shared.masking import mask_text
from domain.shared.errors import StoaError
from entrypoints.cli.chat_answer import ChatAnswer
from entrypoints.cli.conversation import Message

VERSION = "1.0"
CLIENT = "stoa chat"
MAX_MESSAGE = 100
MAX_ANSWER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question and what became of it; ``error`` is ``None`` for a whole answer."""

    model: str
    request_id: str
    messages: Sequence[Message]
    stream: bool
    answer: ChatAnswer
    started_at: datetime
    latency_ms: float
    ttft_ms: float | None
    error: BaseException | None


def open_log(path: Path) -> TextIO:
    """Open the file before anything is asked, so that no answer is lost for want of a log."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--logfile {path} cannot be written: {error.strerror}") from error


def write_line(log: TextIO, exchange: Exchange, *, verbose: bool) -> None:
    """Append the line of the exchange; contents are cut short unless ``verbose``."""
    log.write(msgspec.json.encode(audit_line(exchange, verbose=verbose)).decode() + "\n")
    log.flush()


def audit_line(exchange: Exchange, *, verbose: bool) -> dict[str, Any]:
    """The line, built from copies: what is cut here is cut nowhere else."""
    texts = [message["content"] for message in exchange.messages]
    short = [_cut(text, MAX_MESSAGE, verbose=verbose) for text in texts]
    answer = _cut(exchange.answer.text, MAX_ANSWER, verbose=verbose)
    line: dict[str, Any] = {
        "timestamp": exchange.started_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "event_type": "request_response" if exchange.error is None else "error",
        "version": VERSION,
        "client": CLIENT,
        "model": exchange.model,
        "request_id": exchange.request_id,
        "request": {
            "messages": [
                {"role": message["role"], "content": text}
                for message, text in zip(exchange.messages, short, strict=True)
            ],
            "stream": exchange.stream,
        },
        "response": {
            "id": exchange.answer.id,
            "choices": [_with_content(exchange.answer.as_choice(), answer)],
            "usage": exchange.answer.usage,
        },
        "truncated": short != texts or answer != exchange.answer.text,
        "success": exchange.error is None,
        "latency_ms": round(exchange.latency_ms, 1),
        "ttft_ms": exchange.ttft_ms and round(exchange.ttft_ms, 1),
    }
    if exchange.error is not None:
        line["error"] = _describe(exchange.error)
    return line


def _with_content(choice: dict[str, Any], content: str) -> dict[str, Any]:
    return {**choice, "message": {**choice["message"], "content": content}}


def _cut(text: str, limit: int, *, verbose: bool) -> str:
    return text if verbose or len(text) <= limit else text[:limit] + "..."


def _describe(error: BaseException) -> dict[str, str]:
    if isinstance(error, StoaError):
        return {"code": error.code, "message": mask_text(error.message)}
    if isinstance(error, Exception):
        return {"code": "INTERNAL_ERROR", "message": type(error).__name__}
    return {"code": "CANCELLED", "message": "The person at the terminal stopped it."}
