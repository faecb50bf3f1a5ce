"""Pieces of a local model's text as OpenAI's legacy completion, whole or in chunks."""

from typing import Any

from adapters.providers.local.completion_request import CompletionPlan
from adapters.providers.local.pieces import Piece, usage_json
from domain.shared.usage import Usage

Json = dict[str, Any]


class CompletionAnswer:
    """Translates the pieces of one request; ``head`` holds the members that all chunks share."""

    def __init__(self, plan: CompletionPlan, *, head: Json) -> None:
        self._head = head | {"object": "text_completion"}
        self._top = plan.top_logprobs
        self._echoes = plan.echoes
        self._lengths = [0] * len(plan.echoes)
        self._begun: set[int] = set()

    def chunks(self, piece: Piece) -> list[Json]:
        """The stream chunks that a piece becomes."""
        return [self._head | {"choices": [self._choice(piece)]}]

    def usage_chunk(self, usage: Usage) -> Json:
        return self._head | {"choices": [], "usage": usage_json(usage)}

    def whole(self, pieces: list[Piece], usage: Usage) -> Json:
        """The answer in one piece."""
        choices: list[Json] = [
            {"index": index, "text": "", "logprobs": None, "finish_reason": None}
            for index in range(len(self._echoes))
        ]
        for piece in pieces:
            choice, part = choices[piece.index], self._choice(piece)
            choice["text"] += part["text"]
            choice["finish_reason"] = part["finish_reason"] or choice["finish_reason"]
            if part["logprobs"] and choice["logprobs"]:
                for name, values in part["logprobs"].items():
                    choice["logprobs"][name] += values
            elif part["logprobs"]:
                choice["logprobs"] = part["logprobs"]
        return self._head | {"choices": choices, "usage": usage_json(usage)}

    def finish_reason(self, piece: Piece) -> str | None:
        return piece.finish_reason

    def _choice(self, piece: Piece) -> Json:
        text = piece.text
        if piece.index not in self._begun:
            self._begun.add(piece.index)
            text = self._echoes[piece.index] + text
        return {
            "index": piece.index,
            "text": text,
            "logprobs": self._logprobs(piece),
            "finish_reason": piece.finish_reason,
        }

    def _logprobs(self, piece: Piece) -> Json | None:
        if self._top is None or not piece.logprobs:
            return None
        out: Json = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        for entry in piece.logprobs:
            alternatives = entry.get("top_logprobs", [])[: self._top]
            out["tokens"].append(entry["token"])
            out["token_logprobs"].append(entry["logprob"])
            out["top_logprobs"].append({it["token"]: it["logprob"] for it in alternatives})
            out["text_offset"].append(self._lengths[piece.index])
            self._lengths[piece.index] += len(entry["token"])
        return out
