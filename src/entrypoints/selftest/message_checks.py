"""Does it answer Anthropic's clients? Most servers of OpenAI's API do not claim to."""

from collections.abc import Mapping

from entrypoints.selftest.expectations import OK, expect, expect_status
from entrypoints.selftest.named_events import named_events
from entrypoints.selftest.target import Answer, CheckFailedError, CheckSkippedError, Target

PATH = "/messages"
MAX_TOKENS = 16
BAD_REQUEST = 400
_NOT_SERVED = (404, 405, 501)


async def answers(target: Target) -> str:
    answer = await _ask(target, PATH, {"max_tokens": MAX_TOKENS})
    message = answer.json()
    expect(message.get("type") == "message", "'type' is not 'message'")
    expect(message.get("role") == "assistant", "the role of the answer is not 'assistant'")
    expect(message.get("id"), "there is no id")
    content = message.get("content")
    expect(isinstance(content, list) and content, "the answer has no content")
    expect(message.get("stop_reason"), "there is no stop_reason")
    expect(answer.headers.get("request-id"), "there is no header 'request-id'")
    return f"{target.chat_model}: {_usage(message.get('usage'))} tokens"


async def streams(target: Target) -> str:
    body = {"max_tokens": MAX_TOKENS, "stream": True}
    answer = await _ask(target, PATH, body)
    kind = answer.headers.get("content-type", "")
    expect(kind.startswith("text/event-stream"), f"the content type is '{kind}'")
    events = [event for event in named_events(answer.body) if event["type"] != "ping"]
    names = [event["type"] for event in events]
    expect(names[:1] == ["message_start"], "the stream does not begin with message_start")
    expect(
        names[-2:] == ["message_delta", "message_stop"],
        "the stream does not end with message_delta and message_stop",
    )
    opened, closed = names.count("content_block_start"), names.count("content_block_stop")
    expect(opened == closed > 0, f"{opened} blocks are begun and {closed} ended")
    expect(events[-2]["delta"].get("stop_reason"), "there is no stop_reason")
    said = (events[-2].get("usage") or {}).get("output_tokens")
    expect(isinstance(said, int), "usage.output_tokens is not a whole number")
    return f"{len(events)} events, {said} tokens of output"


async def counts_tokens(target: Target) -> str:
    answer = await _ask(target, f"{PATH}/count_tokens", {})
    count = answer.json().get("input_tokens")
    expect(isinstance(count, int) and count > 0, "'input_tokens' is no number above zero")
    return f"{count} tokens"


async def refuses_wrong_types(target: Target) -> str:
    body = {"model": _model(target), "max_tokens": MAX_TOKENS, "messages": "hello"}
    answer = await _served(target, PATH, body)
    expect_status(answer, BAD_REQUEST)
    said = answer.json()
    error = said.get("error")
    expect(said.get("type") == "error" and isinstance(error, dict), "there is no error envelope")
    expect(said["error"].get("type") == "invalid_request_error", "the error has another type")
    return "400 with Anthropic's error envelope"


async def _ask(target: Target, path: str, more: Mapping[str, object]) -> Answer:
    messages = [{"role": "user", "content": "Say hello."}]
    body = {"model": _model(target), "messages": messages, **more}
    answer = await _served(target, path, body)
    expect_status(answer, OK)
    return answer


async def _served(target: Target, path: str, body: Mapping[str, object]) -> Answer:
    answer = await target.post(path, body)
    if answer.status in _NOT_SERVED:
        raise CheckSkippedError("Anthropic's API is not served")
    return answer


def _model(target: Target) -> str:
    if target.chat_model is None:
        raise CheckSkippedError("no model can chat")
    return target.chat_model


def _usage(usage: object) -> int:
    if not isinstance(usage, dict):
        raise CheckFailedError("there is no usage")
    for name in ("input_tokens", "output_tokens"):
        expect(isinstance(usage.get(name), int), f"usage.{name} is not a whole number")
    return int(usage["input_tokens"] + usage["output_tokens"])
