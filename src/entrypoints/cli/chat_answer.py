"""Understands answers in OpenAI's format, whole or in pieces."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from domain.inference.errors import ProviderFailedError


@dataclass(slots=True, kw_only=True)
class ChatAnswer:
    """What has been answered so far."""

    pieces: list[str] = field(default_factory=list)
    id: str | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    _rest: bytes = b""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def take_whole(self, body: bytes) -> None:
        """Read an answer in one piece."""
        self._take(_decode(body), "message")

    def take_block(self, block: bytes) -> Iterator[str]:
        """Read server-sent events, which may be cut anywhere; yields the new pieces of text."""
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            data = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and data != b"[DONE]":
                yield from self._take(_decode(data), "delta")

    def as_choice(self) -> dict[str, Any]:
        return {
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": self.finish_reason,
        }

    def _take(self, event: dict[str, Any], part: str) -> list[str]:
        if isinstance(event.get("error"), dict):
            raise ProviderFailedError(str(event["error"].get("message")))
        self.id = self.id or event.get("id")
        self.usage = event.get("usage") or self.usage
        new = []
        for choice in event.get("choices") or ():
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            if text := (choice.get(part) or {}).get("content"):
                new.append(text)
        self.pieces += new
        return new


def _decode(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ProviderFailedError(f"The answer is not what was expected: {error}") from error
