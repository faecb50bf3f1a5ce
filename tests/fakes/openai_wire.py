"""Answers and streams as OpenAI-compatible servers send them."""

from collections.abc import Sequence

import msgspec

from application.inference.ports import Operation, ProviderRequest
from domain.models.served_model import ModelKind, ServedModel
from tests.fakes.upstream import LAST_CHUNK, chunk, stream_head

UPSTREAM_NAME = "acme-large-2"
PUBLIC_NAME = "large"
DONE = b"data: [DONE]\n\n"


def a_model(**options: object) -> ServedModel:
    return ServedModel(
        name=PUBLIC_NAME,
        kind=ModelKind.CHAT,
        provider="acme",
        upstream_name=UPSTREAM_NAME,
        options=options,
    )


def a_request(
    model: ServedModel | None = None,
    *,
    operation: Operation = Operation.CHAT,
    stream: bool = False,
    include_usage: bool = False,
    **fields: object,
) -> ProviderRequest:
    body: dict[str, object] = {"model": PUBLIC_NAME}
    if operation is Operation.CHAT:
        body["messages"] = [{"role": "user", "content": "hello there world"}]
    if stream:
        body["stream"] = True
    return ProviderRequest(
        operation=operation,
        model=model or a_model(),
        body=msgspec.json.encode(body | fields),
        correlation_id="c-1",
        stream=stream,
        include_usage=include_usage,
    )


def event(data: object) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def chunk_event(
    delta: object = None,
    *,
    finish_reason: str | None = None,
    choices: bool = True,
    usage: object = ...,
) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish_reason}
    data: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": UPSTREAM_NAME,
        "choices": [choice] if choices else [],
    }
    if usage is not ...:
        data["usage"] = usage
    return event(data)


USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 3,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1},
}


def openai_stream(*words: str, usage: object = USAGE, null_usage: bool = True) -> list[bytes]:
    """The events of a whole stream, as OpenAI sends them when it is asked for usage."""
    extra = None if null_usage else ...
    return [
        chunk_event({"role": "assistant", "content": ""}, usage=extra),
        *(chunk_event({"content": word}, usage=extra) for word in words),
        chunk_event({}, finish_reason="stop", usage=extra),
        *([] if usage is None else [chunk_event(choices=False, usage=usage)]),
        DONE,
    ]


def streamed(events: Sequence[bytes]) -> list[bytes]:
    """A script that sends every event by itself."""
    return [stream_head(), *(chunk(one) for one in events), LAST_CHUNK]
