"""llama.cpp's chunks, read."""

from dataclasses import dataclass, field
from typing import Any

from adapters.providers.local.generation import NumberedChunk
from domain.shared.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one chunk adds to the choice ``index``; ``extras`` are text members of a delta beside
    its content, such as ``reasoning_content``."""

    index: int
    text: str = ""
    extras: dict[str, str] = field(default_factory=dict)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: str | None = None


class UsageTally:
    """The tokens of the runs of one request; exact at every moment, because llama.cpp counts
    along, and ``counted`` until the last run has given its own final numbers."""

    def __init__(self, *, counts_prompt: list[bool]) -> None:
        self._counts_prompt = counts_prompt
        self._runs: dict[int, tuple[int, int, int]] = {}
        self._final: set[int] = set()

    def add(self, chunk: NumberedChunk) -> None:
        index, body = chunk
        if usage := body.get("usage"):
            cached = usage.get("prompt_tokens_details", {}).get("cached_tokens", 0)
            self._runs[index] = (usage["prompt_tokens"], cached, usage["completion_tokens"])
            self._final.add(index)
        elif progress := body.get("prompt_progress"):
            self._runs[index] = (progress["total"], progress["cache"], 0)
        elif timings := body.get("timings"):
            cached = timings["cache_n"]
            self._runs[index] = (timings["prompt_n"] + cached, cached, timings["predicted_n"])

    def total(self) -> Usage:
        paid = [run for index, run in self._runs.items() if self._counts_prompt[index]]
        return Usage(
            prompt_tokens=sum(prompt for prompt, _, _ in paid),
            cached_tokens=sum(cached for _, cached, _ in paid),
            completion_tokens=sum(completion for _, _, completion in self._runs.values()),
            counted=len(self._final) < len(self._counts_prompt),
        )


def usage_json(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def read_piece(chunk: NumberedChunk) -> Piece | None:
    """``None`` for chunks that say nothing of the answer (progress, usage)."""
    index, body = chunk
    if not body.get("choices"):
        return None
    choice = body["choices"][0]
    delta = choice.get("delta") or {}
    piece = Piece(
        index=index,
        text=choice.get("text") or delta.get("content") or "",
        extras={
            name: value
            for name, value in delta.items()
            if name not in ("role", "content") and isinstance(value, str) and value
        },
        logprobs=(choice.get("logprobs") or {}).get("content") or [],
        finish_reason=choice.get("finish_reason"),
    )
    says_something = piece.text or piece.extras or piece.logprobs or piece.finish_reason
    return piece if says_something else None
