"""Does it answer with OpenAI's responses, and go on from them? Many servers of the older API do not
claim to."""

from collections.abc import Mapping
from typing import Any

from entrypoints.selftest.expectations import OK, expect, expect_envelope, expect_status
from entrypoints.selftest.named_events import named_events
from entrypoints.selftest.target import Answer, CheckFailedError, CheckSkippedError, Target

PATH = "/responses"
# OpenAI takes no smaller one.
MAX_TOKENS = 16
NOT_FOUND = 404
_ENDS = ("completed", "incomplete")
_NOT_SERVED = (404, 405, 501)


async def answers(target: Target) -> str:
    response = (await _ask(target, {"store": False})).json()
    _expect_response(response)
    return f"{target.chat_model}: {response['usage']['output_tokens']} tokens"


async def streams(target: Target) -> str:
    answer = await _ask(target, {"store": False, "stream": True})
    kind = answer.headers.get("content-type", "")
    expect(kind.startswith("text/event-stream"), f"the content type is '{kind}'")
    events = named_events(answer.body)
    names = [event["type"] for event in events]
    expect(names[:1] == ["response.created"], "the stream does not begin with response.created")
    expect(
        names[-1] in [f"response.{end}" for end in _ENDS],
        "the stream does not end with response.completed",
    )
    numbers = [int(event["sequence_number"]) for event in events]
    expect(numbers == sorted(set(numbers)), "the events are not numbered in their order")
    begun, ended = (
        names.count("response.output_item.added"),
        names.count("response.output_item.done"),
    )
    expect(begun == ended, f"{begun} items are begun and {ended} ended")
    _expect_response(events[-1]["response"])
    return f"{len(events)} events"


async def goes_on(target: Target) -> str:
    first = (await _ask(target, {})).json()
    if first.get("store") is False:
        raise CheckSkippedError("responses are not kept")
    name = first["id"]
    second = (await _ask(target, {"previous_response_id": name, "store": False})).json()
    expect(second.get("previous_response_id") == name, "it does not say what it goes on from")
    shown = await target.get(f"{PATH}/{name}")
    expect_status(shown, OK)
    expect(shown.json().get("output") == first["output"], "it is shown with another output")
    return "kept, shown and gone on from"


async def knows_no_unknown_response(target: Target) -> str:
    await _ask(target, {"store": False})
    answer = await target.get(f"{PATH}/resp_00000000000000000000000000000000")
    expect_envelope(answer, NOT_FOUND)
    return "404 with the error envelope"


async def _ask(target: Target, more: Mapping[str, object]) -> Answer:
    if target.chat_model is None:
        raise CheckSkippedError("no model can chat")
    body = {"model": target.chat_model, "input": "Say hello.", "max_output_tokens": MAX_TOKENS}
    answer = await target.post(PATH, {**body, **more})
    if answer.status in _NOT_SERVED:
        raise CheckSkippedError("responses are not served")
    expect_status(answer, OK)
    return answer


def _expect_response(response: object) -> None:
    if not isinstance(response, dict):
        raise CheckFailedError("there is no response")
    expect(response.get("object") == "response", "'object' is not 'response'")
    expect(response.get("id"), "there is no id")
    expect(response.get("status") in _ENDS, "the status is not 'completed'")
    expect(isinstance(response.get("output"), list), "there is no output")
    _expect_usage(response.get("usage"))


def _expect_usage(usage: Any) -> None:
    if not isinstance(usage, dict):
        raise CheckFailedError("there is no usage")
    for name in ("input_tokens", "output_tokens", "total_tokens"):
        expect(isinstance(usage.get(name), int), f"usage.{name} is not a whole number")
