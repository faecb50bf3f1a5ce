"""Requests for the local provider, and an engine that says what it is told."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from adapters.providers.local.engine import ChatEngine, GenerationCall
from adapters.providers.local.provider import LocalProvider
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.inference.ports import Operation, ProviderRequest, ProviderStream
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.errors import StoaError

SMOLLM2 = ServedModel(
    name="smollm2-135m",
    kind=ModelKind.CHAT,
    provider="local",
    upstream_name="embedded:smollm2-135m",
    context_length=2048,
)
MINILM = ServedModel(
    name="all-minilm-l6-v2",
    kind=ModelKind.EMBEDDING,
    provider="local",
    upstream_name="embedded:all-minilm-l6-v2",
)
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
STORY = [{"role": "user", "content": "Write a very long story about a dragon."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"$ref": "#/$defs/Unit"}},
            "required": ["city"],
            "$defs": {"Unit": {"enum": ["celsius", "fahrenheit"]}},
        },
    },
}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
    },
}


def local_provider(*models: ServedModel, queue_size: int = 64) -> LocalProvider:
    return LocalProvider(
        "local", models, clock=SystemClock(), ids=SystemIds(), queue_size=queue_size
    )


def chat_request(
    served: ServedModel = SMOLLM2, *, stream: bool = False, include_usage: bool = False, **body: Any
) -> ProviderRequest:
    body = {"model": served.name, "messages": QUESTION} | body
    return _request(Operation.CHAT, served, body, stream=stream, include_usage=include_usage)


def completion_request(*, stream: bool = False, **body: Any) -> ProviderRequest:
    body = {"model": SMOLLM2.name} | body
    return _request(Operation.COMPLETION, SMOLLM2, body, stream=stream, include_usage=stream)


def embedding_request(served: ServedModel = MINILM, **body: Any) -> ProviderRequest:
    body = {"model": served.name} | body
    return _request(Operation.EMBEDDING, served, body, stream=False, include_usage=False)


async def read_events(stream: ProviderStream) -> list[dict[str, Any]]:
    """All chunks of a stream, which must end as it should."""
    text = b"".join([block async for block in stream]).decode()
    *events, last, rest = text.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def joined_content(events: Sequence[dict[str, Any]], index: int = 0) -> str:
    choices = [choice for event in events for choice in event["choices"]]
    return "".join(
        choice["delta"].get("content") or "" for choice in choices if choice["index"] == index
    )


def _request(
    operation: Operation,
    model: ServedModel,
    body: dict[str, Any],
    *,
    stream: bool,
    include_usage: bool,
) -> ProviderRequest:
    return ProviderRequest(
        operation=operation,
        model=model,
        body=json.dumps(body).encode(),
        correlation_id="c-1",
        stream=stream,
        include_usage=include_usage,
    )


class ScriptedEngine(ChatEngine):
    """Gives the chunks of its script, then ends, fails, or goes on for ever until aborted."""

    def __init__(
        self, *chunks: dict[str, Any], error: StoaError | None = None, endless: bool = False
    ) -> None:
        self._script = chunks
        self._error = error
        self._endless = endless
        self.running = 0
        self.finished: list[GenerationCall] = []
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def generate(self, call: GenerationCall, on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        self.running += 1
        try:
            stopped = any(on_chunk(chunk) for chunk in self._script)
            if self._error is not None:
                raise self._error
            pause = threading.Event()
            while self._endless and not stopped:
                pause.wait(0.002)
                stopped = on_chunk({"choices": []})
        finally:
            self.running -= 1
            self.finished.append(call)


def engine_chunk(text: str = "", *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {"content": text} if text else {}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}
