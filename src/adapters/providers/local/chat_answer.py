"""Pieces of a local model's answer as OpenAI's chat completion, whole or in chunks."""

from collections.abc import Callable
from typing import Any

from adapters.providers.local.chat_request import ChatPlan
from adapters.providers.local.pieces import Piece, usage_json
from adapters.providers.local.tool_reader import Delta, ToolReader
from domain.shared.usage import Usage

Json = dict[str, Any]


class ChatAnswer:
    """Translates the pieces of one request; ``head`` holds the members that all chunks share."""

    stream_object = "chat.completion.chunk"
    whole_object = "chat.completion"

    def __init__(self, plan: ChatPlan, *, head: Json, new_call_id: Callable[[], str]) -> None:
        self._head = head
        self._top = plan.top_logprobs
        self._tools = plan.tools is not None
        self._readers = [ToolReader(new_call_id) for _ in plan.calls]
        self._begun: set[int] = set()

    def chunks(self, piece: Piece) -> list[Json]:
        """The stream chunks that a piece becomes."""
        choices = []
        if piece.index not in self._begun:
            self._begun.add(piece.index)
            first = {"role": "assistant", "content": None if self._tools else "", "refusal": None}
            choices.append(self._choice(piece.index, first))
        logprobs = self._logprobs(piece)
        for delta in self._deltas(piece):
            choices.append(self._choice(piece.index, delta, logprobs))
            logprobs = None
        if logprobs:
            choices.append(self._choice(piece.index, {"content": ""}, logprobs))
        if piece.finish_reason is not None:
            choices.append(self._choice(piece.index, {}, finish=self._finish(piece)))
        return [self._head | {"object": self.stream_object, "choices": [it]} for it in choices]

    def usage_chunk(self, usage: Usage) -> Json:
        return self._head | {
            "object": self.stream_object,
            "choices": [],
            "usage": usage_json(usage),
        }

    def whole(self, pieces: list[Piece], usage: Usage) -> Json:
        """The answer in one piece."""
        choices = [self._whole_choice(index) for index in range(len(self._readers))]
        for piece in pieces:
            choice = choices[piece.index]
            for delta in self._deltas(piece):
                merge(choice["message"], delta)
            if logprobs := self._logprobs(piece):
                choice["logprobs"] = choice["logprobs"] or {"content": [], "refusal": None}
                choice["logprobs"]["content"] += logprobs["content"]
            if piece.finish_reason is not None:
                choice["finish_reason"] = self._finish(piece)
        return self._head | {
            "object": self.whole_object,
            "choices": choices,
            "usage": usage_json(usage),
        }

    def finish_reason(self, piece: Piece) -> str | None:
        """What the client is told; of a piece that has been translated."""
        return None if piece.finish_reason is None else self._finish(piece)

    def _deltas(self, piece: Piece) -> list[Delta]:
        deltas: list[Delta] = [dict(piece.extras)] if piece.extras else []
        if not piece.text:
            return deltas
        if self._tools:
            return deltas + self._readers[piece.index].feed(piece.text)
        return [*deltas, {"content": piece.text}]

    def _logprobs(self, piece: Piece) -> Json | None:
        if self._top is None or not piece.logprobs:
            return None
        return {"content": [_entry(it, self._top) for it in piece.logprobs], "refusal": None}

    def _finish(self, piece: Piece) -> str | None:
        # A call that was cut off by the token limit stays "length": its arguments are incomplete.
        if piece.finish_reason == "stop" and self._readers[piece.index].called:
            return "tool_calls"
        return piece.finish_reason

    @staticmethod
    def _choice(
        index: int, delta: Delta, logprobs: Json | None = None, finish: str | None = None
    ) -> Json:
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}

    def _whole_choice(self, index: int) -> Json:
        content = None if self._tools else ""
        message = {"role": "assistant", "content": content, "refusal": None}
        return {"index": index, "message": message, "logprobs": None, "finish_reason": None}


def merge(message: Json, delta: Delta) -> None:
    """Add a delta to a message, as clients do with the chunks of a stream."""
    for name, value in delta.items():
        if name != "tool_calls":
            message[name] = (message.get(name) or "") + value
            continue
        calls = message.setdefault("tool_calls", [])
        for part in value:
            if part["index"] == len(calls):
                call = {key: part[key] for key in ("id", "type")}
                calls.append(call | {"function": dict(part["function"])})
            else:
                calls[part["index"]]["function"]["arguments"] += part["function"]["arguments"]


def _entry(entry: Json, top: int) -> Json:
    alternatives = [_token(it) for it in entry.get("top_logprobs", [])[:top]]
    return _token(entry) | {"top_logprobs": alternatives}


def _token(entry: Json) -> Json:
    return {name: entry[name] for name in ("token", "logprob", "bytes")}
