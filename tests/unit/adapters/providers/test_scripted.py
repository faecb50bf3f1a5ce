import base64
import struct
from typing import Any

import msgspec
import pytest

from adapters.providers.scripted.options import validate_options
from adapters.providers.scripted.provider import ScriptedProvider
from adapters.providers.scripted.reply import MAX_REPLY_CHARACTERS
from application.inference.ports import Operation, ProviderRequest
from domain.inference.errors import ProviderFailedError, UnsupportedByModelError
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage
from tests.fakes.openai_wire import a_model, a_request

TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}


async def body_of(request: ProviderRequest) -> dict[str, Any]:
    answer = await ScriptedProvider(name="acme").complete(request)
    return msgspec.json.decode(answer.body, type=dict[str, Any])


async def chunks_of(request: ProviderRequest) -> list[dict[str, Any]]:
    stream = await ScriptedProvider(name="acme").open_stream(request)
    blocks = [block async for block in stream]
    assert blocks.pop() == b"data: [DONE]\n\n"
    return [msgspec.json.decode(block.removeprefix(b"data: ")) for block in blocks]


async def test_echoes_the_last_user_message() -> None:
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": [{"type": "text", "text": "a b"}, {"type": "text"}]},
    ]

    body = await body_of(a_request(messages=messages))

    assert body["choices"][0]["message"]["content"] == "a b"
    assert body["usage"]["prompt_tokens"] == 4
    assert body["usage"]["completion_tokens"] == 2
    assert body["usage"]["total_tokens"] == 6


async def test_the_same_request_has_the_same_answer() -> None:
    assert await body_of(a_request()) == await body_of(a_request())


async def test_streams_word_by_word() -> None:
    chunks = await chunks_of(a_request(a_model(reply="one  two\nthree"), stream=True))

    words = [chunk["choices"][0]["delta"].get("content") for chunk in chunks]
    assert words == ["", "one", "  two", "\nthree", None]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


async def test_says_the_same_in_every_choice() -> None:
    body = await body_of(a_request(a_model(reply="one two"), n=2))
    chunks = await chunks_of(a_request(a_model(reply="one two"), n=2, stream=True))

    assert [choice["message"]["content"] for choice in body["choices"]] == ["one two"] * 2
    assert body["usage"]["completion_tokens"] == 4
    assert [chunk["choices"][0]["index"] for chunk in chunks] == [0, 1] * 4


@pytest.mark.parametrize("stop", ["two", ["x", "two"], ["three", "two"]])
async def test_stops_where_it_is_told_to(stop: object) -> None:
    body = await body_of(a_request(a_model(reply="one two three"), stop=stop))

    assert body["choices"][0]["message"]["content"].strip() == "one"
    assert body["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("limit", [{"max_tokens": 2}, {"max_completion_tokens": 2}], ids=str)
async def test_a_limit_of_tokens_cuts_the_reply(limit: dict[str, Any]) -> None:
    body = await body_of(a_request(a_model(reply="one two three"), **limit))

    assert body["choices"][0]["message"]["content"] == "one two"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 2


async def test_calls_a_tool_that_the_request_offers() -> None:
    body = await body_of(a_request(a_model(tool_call=CALL), tools=TOOLS))

    message = body["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"][0]["function"]["name"] == "get_weather"
    assert msgspec.json.decode(message["tool_calls"][0]["function"]["arguments"]) == {
        "city": "Paris"
    }
    assert body["choices"][0]["finish_reason"] == "tool_calls"


async def test_streams_a_tool_call() -> None:
    chunks = await chunks_of(a_request(a_model(tool_call=CALL), tools=TOOLS, stream=True))

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert calls[0]["function"]["name"] == "get_weather"
    assert "".join(call["function"]["arguments"] for call in calls) == '{"city":"Paris"}'
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tools": TOOLS, "tool_choice": "none"},
        {
            "tools": TOOLS,
            "messages": [{"role": "user", "content": "x"}, {"role": "tool", "content": "21"}],
        },
    ],
    ids=["no tools", "none wanted", "answered"],
)
async def test_calls_no_tool_out_of_turn(fields: dict[str, Any]) -> None:
    body = await body_of(a_request(a_model(tool_call=CALL, reply="fine"), **fields))

    assert body["choices"][0]["message"]["content"] == "fine"


@pytest.mark.parametrize(
    "choice",
    ["required", {"type": "function", "function": {"name": "get_weather"}}],
    ids=["any", "named"],
)
async def test_a_tool_that_must_be_called_is_called(choice: object) -> None:
    body = await body_of(a_request(tools=TOOLS, tool_choice=choice))

    call = body["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call == {"name": "get_weather", "arguments": "{}"}


async def test_completes_a_prompt() -> None:
    request = a_request(operation=Operation.COMPLETION, prompt="once upon")
    streaming = a_request(operation=Operation.COMPLETION, prompt="once upon", stream=True)

    body, chunks = await body_of(request), await chunks_of(streaming)

    assert body["object"] == "text_completion"
    assert body["choices"][0]["text"] == "once upon"
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "once upon"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


async def test_embeds_equal_texts_equally_and_others_apart() -> None:
    request = a_request(operation=Operation.EMBEDDING, input=["a", "b", "a"], dimensions=8)

    body = await body_of(request)

    vectors = [item["embedding"] for item in body["data"]]
    assert [item["index"] for item in body["data"]] == [0, 1, 2]
    assert vectors[0] == vectors[2] != vectors[1]
    assert {len(vector) for vector in vectors} == {8}
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


async def test_base64_holds_the_same_vector() -> None:
    fields: dict[str, Any] = {"operation": Operation.EMBEDDING, "input": "a", "dimensions": 8}

    plain = await body_of(a_request(**fields))
    packed = await body_of(a_request(**fields, encoding_format="base64"))

    raw = base64.b64decode(packed["data"][0]["embedding"])
    assert struct.unpack("<8f", raw) == pytest.approx(plain["data"][0]["embedding"])


@pytest.mark.parametrize(
    ("given", "count"), [("a", 1), (["a"], 1), ([1, 2], 1), ([[1, 2], [3]], 2), ([], 0)]
)
async def test_takes_every_kind_of_input(given: object, count: int) -> None:
    body = await body_of(a_request(operation=Operation.EMBEDDING, input=given))

    assert len(body["data"]) == count


async def test_embeddings_are_never_streamed() -> None:
    request = a_request(operation=Operation.EMBEDDING, input="a", stream=True)

    with pytest.raises(UnsupportedByModelError):
        await ScriptedProvider(name="acme").open_stream(request)


@pytest.mark.parametrize("after", [0, 2, 3])
async def test_cuts_a_stream_after_so_many_words(after: int) -> None:
    model = a_model(reply="one two three", cut_after=after)
    stream = await ScriptedProvider(name="acme").open_stream(a_request(model, stream=True))
    blocks = aiter(stream)
    for _ in range(after + 1):
        await anext(blocks)

    with pytest.raises(ProviderFailedError, match="terminator"):
        await anext(blocks)

    assert stream.report.usage.completion_tokens == after


async def test_a_scripted_usage_and_finish_reason_win() -> None:
    model = a_model(
        finish_reason="content_filter",
        usage={"prompt_tokens": 9, "cached_tokens": 4, "completion_tokens": 5},
    )

    answer = await ScriptedProvider(name="acme").complete(a_request(model))

    assert answer.finish_reason == "content_filter"
    assert answer.usage == Usage(prompt_tokens=9, cached_tokens=4, completion_tokens=5)


@pytest.mark.parametrize("number", [0, 129, 10**9])
async def test_refuses_more_choices_than_openai_gives(number: int) -> None:
    with pytest.raises(InvalidError) as caught:
        await ScriptedProvider(name="acme").complete(a_request(n=number))

    assert caught.value.param == "n"


async def test_refuses_more_inputs_than_openai_embeds() -> None:
    request = a_request(operation=Operation.EMBEDDING, input=["a"] * 2049)

    with pytest.raises(InvalidError) as caught:
        await ScriptedProvider(name="acme").complete(request)

    assert caught.value.param == "input"


async def test_a_reply_has_an_end() -> None:
    body = await body_of(a_request(messages=[{"role": "user", "content": "word " * 100_000}]))

    choice = body["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) == MAX_REPLY_CHARACTERS


@pytest.mark.parametrize(
    "options",
    [
        {"replies": "x"},
        {"delay_ms": -1},
        {"delay_ms": "soon"},
        {"fail_status": 200},
        {"cut_after": -1},
        {"tool_call": {"arguments": {}}},
        {"tool_call": {"name": "x", "args": {}}},
        {"usage": {"tokens": 1}},
    ],
    ids=str,
)
def test_refuses_options_that_it_does_not_know(options: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        validate_options(options)
    with pytest.raises(InvalidError):
        ScriptedProvider(name="acme", models=[a_model(**options)])


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model":1}', b'{"model":"large","messages":3}'])
async def test_refuses_a_malformed_body(body: bytes) -> None:
    request = a_request()
    malformed = ProviderRequest(
        operation=request.operation, model=request.model, body=body, correlation_id="c"
    )

    with pytest.raises(InvalidError):
        await ScriptedProvider(name="acme").complete(malformed)
