"""Does it chat, whole and in pieces, as OpenAI's clients expect?"""

from typing import Any

import msgspec

from entrypoints.selftest.expectations import OK, expect, expect_status, expect_usage
from entrypoints.selftest.target import Answer, CheckFailedError, CheckSkippedError, Target

PATH = "/chat/completions"
MAX_TOKENS = 16
# A listing may start with embedding models; more than these are not tried.
MAX_TRIED = 8
DONE = b"[DONE]"


async def chats(target: Target) -> str:
    answer = await _first_answer(target)
    expect_status(answer, OK)
    completion = answer.json()
    expect(completion.get("object") == "chat.completion", "'object' is not 'chat.completion'")
    expect(completion.get("id"), "there is no id")
    choices = completion.get("choices") or [{}]
    message = choices[0].get("message") or {}
    expect(message.get("role") == "assistant", "the role of the answer is not 'assistant'")
    expect(isinstance(message.get("content"), str), "the answer has no content")
    expect(choices[0].get("finish_reason"), "there is no finish_reason")
    expect_usage(completion.get("usage"))
    return f"{target.chat_model}: {completion['usage']['completion_tokens']} tokens"


async def streams(target: Target) -> str:
    events = await _stream(target, {})
    expect(all(event.get("choices") for event in events), "a chunk has no choices")
    expect(len({event.get("id") for event in events}) == 1, "the chunks have different ids")
    reasons = [event["choices"][0].get("finish_reason") for event in events]
    expect(reasons[-1], "the last chunk has no finish_reason")
    return f"{len(events)} chunks and [DONE]"


async def streams_usage(target: Target) -> str:
    events = await _stream(target, {"stream_options": {"include_usage": True}})
    last = events[-1]
    expect(last.get("choices") == [], "the last chunk's choices are not empty")
    expect_usage(last.get("usage"))
    return f"{last['usage']['total_tokens']} tokens in the last chunk"


async def _first_answer(target: Target) -> Answer:
    """The answer of the model that was given, or of the first that can chat."""
    if target.chat_model is not None:
        return await target.post(PATH, _body(target.chat_model))
    answer = None
    for name in target.models[:MAX_TRIED]:
        answer = await target.post(PATH, _body(name))
        if answer.status == OK:
            target.chat_model = name
            return answer
    if answer is None:
        raise CheckSkippedError("no model is listed; name one with --model")
    return answer


async def _stream(target: Target, extra: dict[str, object]) -> list[dict[str, Any]]:
    if target.chat_model is None:
        raise CheckSkippedError("no model can chat")
    answer = await target.post(PATH, {**_body(target.chat_model), "stream": True, **extra})
    expect_status(answer, OK)
    kind = answer.headers.get("content-type", "")
    expect(kind.startswith("text/event-stream"), f"the content type is '{kind}'")
    events = _events(answer.body)
    expect(events and events[-1] == DONE, "the stream does not end with [DONE]")
    chunks = [_chunk(event) for event in events[:-1]]
    expect(chunks, "there is no chunk before [DONE]")
    for chunk in chunks:
        expect(
            chunk.get("object") == "chat.completion.chunk",
            "'object' of a chunk is not 'chat.completion.chunk'",
        )
    return chunks


def _events(body: bytes) -> list[bytes]:
    """The data of the events; comments and other fields are skipped, as clients do."""
    expect(body.endswith(b"\n\n"), "the last event does not end with an empty line")
    events = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line for line in block.split(b"\n") if line and not line.startswith(b":")]
        data = [line[5:].strip() for line in lines if line.startswith(b"data:")]
        expect(len(data) == len(lines), "a line is neither data nor a comment")
        if data:
            events.append(b"\n".join(data))
    return events


def _chunk(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise CheckFailedError(f"a chunk is no JSON object: {error}") from error


def _body(model: str) -> dict[str, object]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": MAX_TOKENS,
    }
