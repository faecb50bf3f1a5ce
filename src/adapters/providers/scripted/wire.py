"""Replies in OpenAI's wire format."""

import hashlib
from collections.abc import Iterator
from enum import Enum
from typing import Any

import msgspec

from adapters.providers.scripted.reply import Reply
from application.inference.ports import Operation, ProviderRequest
from domain.shared.usage import Usage

# Scripted answers are the same for ever, so their time is no time in particular.
CREATED = 1_700_000_000


def whole_body(request: ProviderRequest, reply: Reply) -> bytes:
    chat = request.operation is Operation.CHAT
    return msgspec.json.encode(
        _head(request, reply, "chat.completion" if chat else "text_completion")
        | {
            "choices": [
                _whole_chat_choice(index, reply) if chat else _whole_text_choice(index, reply)
                for index in range(reply.choices)
            ],
            "usage": usage_json(reply.usage),
        }
    )


class Phase(Enum):
    OPENING = "opening"
    SPEAKING = "speaking"
    CLOSING = "closing"


def chunks_of(request: ProviderRequest, reply: Reply) -> Iterator[tuple[bytes, Phase]]:
    """The events of a stream up to its finish reasons, one per choice each time."""
    steps = _chat_steps(reply) if request.operation is Operation.CHAT else _text_steps(reply)
    for phase, choice in steps:
        for index in range(reply.choices):
            yield _event(request, reply, [{"index": index} | choice]), phase


def usage_chunk(request: ProviderRequest, reply: Reply) -> bytes:
    return _event(request, reply, [], usage_json(reply.usage))


def usage_json(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def request_id(request: ProviderRequest) -> str:
    """The same for the same request."""
    return hashlib.sha256(request.body).hexdigest()[:24]


def _head(request: ProviderRequest, reply: Reply, kind: str) -> dict[str, Any]:
    prefix = "chatcmpl" if request.operation is Operation.CHAT else "cmpl"
    return {
        "id": f"{prefix}-{request_id(request)}",
        "object": kind,
        "created": CREATED,
        "model": reply.model,
    }


def _event(
    request: ProviderRequest,
    reply: Reply,
    choices: list[dict[str, Any]],
    usage: dict[str, Any] | None = None,
) -> bytes:
    chat = request.operation is Operation.CHAT
    chunk = _head(request, reply, "chat.completion.chunk" if chat else "text_completion")
    chunk["choices"] = choices
    if request.include_usage:
        chunk["usage"] = usage
    return b"data: %b\n\n" % msgspec.json.encode(chunk)


def _chat_steps(reply: Reply) -> Iterator[tuple[Phase, dict[str, Any]]]:
    opening = {"role": "assistant", "content": None if reply.tool_call else "", "refusal": None}
    yield Phase.OPENING, _delta(opening)
    call = reply.tool_call
    if call is None:
        for token in reply.tokens:
            yield Phase.SPEAKING, _delta({"content": token})
    else:
        opened = {"index": 0, "id": "call_scripted_0", "type": "function"}
        named = opened | {"function": {"name": call.name, "arguments": ""}}
        yield Phase.SPEAKING, _delta({"tool_calls": [named]})
        said = {"index": 0, "function": {"arguments": call.arguments_json}}
        yield Phase.SPEAKING, _delta({"tool_calls": [said]})
    yield Phase.CLOSING, _delta({}, reply.finish_reason)


def _text_steps(reply: Reply) -> Iterator[tuple[Phase, dict[str, Any]]]:
    for token in reply.tokens:
        yield Phase.SPEAKING, {"text": token, "logprobs": None, "finish_reason": None}
    yield Phase.CLOSING, {"text": "", "logprobs": None, "finish_reason": reply.finish_reason}


def _delta(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _whole_chat_choice(index: int, reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.tool_call is not None:
        function = {"name": reply.tool_call.name, "arguments": reply.tool_call.arguments_json}
        message["content"] = None
        message["tool_calls"] = [
            {"id": f"call_scripted_{index}", "type": "function", "function": function}
        ]
    return {
        "index": index,
        "message": message,
        "logprobs": None,
        "finish_reason": reply.finish_reason,
    }


def _whole_text_choice(index: int, reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "index": index,
        "logprobs": None,
        "finish_reason": reply.finish_reason,
    }
