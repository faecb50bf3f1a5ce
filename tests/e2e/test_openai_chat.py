import httpx
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.fixtures.ledger import call_of

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello there world"}]


def test_answers_the_official_client(openai: OpenAI) -> None:
    answer = openai.chat.completions.create(model="echo", messages=HELLO)

    assert answer.object == "chat.completion"
    assert answer.model == "echo"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == "hello there world"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_answers_the_official_async_client(async_openai: AsyncOpenAI) -> None:
    answer = await async_openai.chat.completions.create(model="echo", messages=HELLO)

    assert answer.choices[0].message.content == "hello there world"


def test_streams_to_the_official_client(openai: OpenAI) -> None:
    with openai.chat.completions.create(model="echo", messages=HELLO, stream=True) as stream:
        chunks = list(stream)

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "hello there world"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.choices for chunk in chunks), "the usage chunk was not asked for"


async def test_streams_to_the_official_async_client(async_openai: AsyncOpenAI) -> None:
    stream = await async_openai.chat.completions.create(model="echo", messages=HELLO, stream=True)
    text = "".join([c.choices[0].delta.content or "" async for c in stream])

    assert text == "hello there world"


def test_sends_the_usage_chunk_when_asked(openai: OpenAI) -> None:
    stream = openai.chat.completions.create(
        model="echo", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)

    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3


def test_a_stream_ends_with_done_and_is_not_buffered(http: httpx.Client) -> None:
    body = {"model": "echo", "messages": HELLO, "stream": True}
    answer = http.post("/v1/chat/completions", json=body)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert "no-cache" in answer.headers["cache-control"]
    assert answer.text.endswith("data: [DONE]\n\n")


def test_passes_tool_calls_on(openai: OpenAI) -> None:
    answer = openai.chat.completions.create(
        model="caller",
        messages=HELLO,
        tools=[{"type": "function", "function": {"name": "get_weather", "parameters": {}}}],
    )

    calls = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert calls is not None
    assert calls[0].type == "function"
    assert calls[0].function.name == "get_weather"


def test_an_alias_answers_like_the_model(openai: OpenAI) -> None:
    answer = openai.chat.completions.create(model="parrot", messages=HELLO)

    assert answer.choices[0].message.content == "hello there world"
    assert answer.model == "parrot"


def test_sends_comments_while_the_model_thinks(http: httpx.Client) -> None:
    body = {"model": "hung", "messages": HELLO, "stream": True}

    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = answer.iter_lines()
        comments = [next(lines) for _ in range(4)]

    assert answer.status_code == httpx.codes.OK
    assert comments == [": ping", ""] * 2


def test_the_official_client_ignores_the_comments(openai: OpenAI) -> None:
    stream = openai.chat.completions.create(model="slow", messages=HELLO, stream=True)
    text = "".join(c.choices[0].delta.content or "" for c in stream)

    assert text == "hello there world"


def test_serves_legacy_completions(openai: OpenAI) -> None:
    answer = openai.completions.create(model="echo", prompt="once upon")

    assert answer.object == "text_completion"
    assert "once upon" in answer.choices[0].text


def test_streams_legacy_completions(openai: OpenAI) -> None:
    stream = openai.completions.create(model="echo", prompt="once upon", stream=True)
    text = "".join(chunk.choices[0].text for chunk in stream)

    assert "once upon" in text


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeds_a_batch(openai: OpenAI, encoding: str) -> None:
    answer = openai.embeddings.create(
        model="vectors",
        input=["one", "two"],
        encoding_format=encoding,  # type: ignore[arg-type]  # parametrised
        dimensions=8,
    )

    assert [item.index for item in answer.data] == [0, 1]
    assert answer.data[0].embedding != answer.data[1].embedding


def test_lists_and_gets_models(openai: OpenAI) -> None:
    listed = {model.id: model for model in openai.models.list()}
    one = openai.models.retrieve("echo")

    assert {"echo", "vectors"} <= set(listed)
    assert one.id == "echo"
    assert one.object == "model"
    assert one.owned_by == "script"


def test_every_answer_carries_its_ids(http: httpx.Client) -> None:
    body = {"model": "echo", "messages": HELLO}
    answer = http.post(
        "/v1/chat/completions", json=body, headers={"X-Correlation-ID": "order-4711"}
    )

    assert answer.headers["x-correlation-id"] == "order-4711"
    assert call_of(http, answer.headers["x-request-id"])["correlation_id"] == "order-4711"
