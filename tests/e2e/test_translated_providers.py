"""Official clients against models whose providers have wire formats of their own."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, BadRequestError
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.fakes.bedrock_server import ACCESS_KEY, MODEL, SECRET, BedrockServer, running_bedrock
from tests.fakes.gemini_server import KEY, GeminiServer, running_gemini
from tests.fixtures.ledger import call_of
from tests.fixtures.server import StoaServer

CONFIG = f"""
providers:
  - {{name: gemini, type: google, base_url: "%s", api_key: {KEY}}}
  - name: aws
    type: bedrock
    region: eu-central-1
    base_url: "%s"
    access_key_id: {ACCESS_KEY}
    secret_access_key: {SECRET}
models:
  - name: gemini
    provider: gemini
    upstream_name: gemini-3-flash
    prices: {{input: "10", output: "100", cached_input: "1"}}
  - {{name: vectors, provider: gemini, upstream_name: gemini-embedding-001, kind: embedding}}
  - name: claude
    provider: aws
    upstream_name: "{MODEL}"
    prices: {{input: "10", output: "100", cached_input: "1", cache_write: "12"}}
"""
MODELS = ("gemini", "claude")
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello there world"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@dataclass
class World:
    stoa: StoaServer
    gemini: GeminiServer
    bedrock: BedrockServer

    def last_seen(self, model: str) -> dict[str, Any]:
        server = self.gemini if model == "gemini" else self.bedrock
        return server.seen[-1]


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("translated")
    async with running_gemini() as gemini, running_bedrock() as bedrock:
        config = folder / "stoa.yaml"
        config.write_text(CONFIG % (gemini.url, bedrock.url))
        with StoaServer(data_dir=folder / "data", config=config) as stoa:
            yield World(stoa, gemini, bedrock)


@pytest.fixture
async def openai(world: World) -> AsyncIterator[AsyncOpenAI]:
    stoa = world.stoa
    async with AsyncOpenAI(base_url=stoa.base_url, api_key=stoa.key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
async def test_answers_a_chat(openai: AsyncOpenAI, model: str) -> None:
    answer = await openai.chat.completions.create(model=model, messages=HELLO)

    assert answer.model == model
    assert answer.choices[0].message.content == "hello there world"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 120


@pytest.mark.parametrize("model", MODELS)
async def test_streams_a_chat(openai: AsyncOpenAI, model: str) -> None:
    stream = await openai.chat.completions.create(
        model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "hello there world"
    assert {chunk.model for chunk in chunks} == {model}
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens == 100


async def called(openai: AsyncOpenAI, model: str, *, stream: bool) -> list[dict[str, Any]]:
    """The calls of tools in an answer, with everything that came with them."""
    asked: dict[str, Any] = {"model": model, "messages": HELLO, "tools": [WEATHER]}
    if not stream:
        answer = await openai.chat.completions.create(**asked)
    else:
        async with openai.chat.completions.stream(**asked) as events:
            answer = await events.get_final_completion()
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.model_dump(exclude_none=True)["tool_calls"]
    for call in calls:
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return list(calls)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_calls_tools_side_by_side_and_hears_their_results(
    openai: AsyncOpenAI, model: str, *, stream: bool
) -> None:
    calls = await called(openai, model, stream=stream)
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"{20 + number} degrees"}
        for number, call in enumerate(calls)
    ]
    messages: list[Any] = [*HELLO, {"role": "assistant", "tool_calls": calls}, *results]

    answer = await openai.chat.completions.create(model=model, tools=[WEATHER], messages=messages)

    cities = [json.loads(call["function"]["arguments"])["city"] for call in calls]
    assert cities == ["Bern", "Rome"]
    assert answer.choices[0].message.content == "20 degrees and 21 degrees"


@pytest.mark.parametrize("model", MODELS)
async def test_follows_a_schema(openai: AsyncOpenAI, world: World, model: str) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}

    answer = await openai.chat.completions.create(
        model=model,
        messages=HELLO,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": schema, "strict": True},
        },
    )

    assert json.loads(answer.choices[0].message.content or "") == {"city": "Bern"}
    assert '"city"' in json.dumps(world.last_seen(model)).replace("\\", "")


@pytest.mark.parametrize("model", MODELS)
async def test_sees_pictures(openai: AsyncOpenAI, model: str) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": "what?"}, picture]}]

    answer = await openai.chat.completions.create(model=model, messages=messages)

    assert answer.choices[0].message.content == "I see image/png of 8 bytes."


async def test_takes_an_effort(openai: AsyncOpenAI, world: World) -> None:
    for model in MODELS:
        await openai.chat.completions.create(
            model=model, messages=HELLO, reasoning_effort="low", max_completion_tokens=4000
        )

    config = world.gemini.seen[-1]["generationConfig"]
    assert config == {"maxOutputTokens": 4000, "thinkingConfig": {"thinkingLevel": "LOW"}}
    fields = world.bedrock.seen[-1]["additionalModelRequestFields"]
    assert fields == {"thinking": {"type": "enabled", "budget_tokens": 2048}}


@pytest.mark.parametrize("model", MODELS)
async def test_refuses_by_name_what_the_provider_has_no_words_for(
    openai: AsyncOpenAI, world: World, model: str
) -> None:
    seen = len(world.gemini.seen) + len(world.bedrock.seen)

    with pytest.raises(BadRequestError) as caught:
        await openai.chat.completions.create(model=model, messages=HELLO, logit_bias={"1": 5})

    assert caught.value.param == "logit_bias"
    assert len(world.gemini.seen) + len(world.bedrock.seen) == seen


@pytest.mark.parametrize(
    ("model", "cost"),
    # 60 + 40 cached + 20 answered, and at Bedrock 50 + 40 cached + 10 kept + 20 answered.
    [("gemini", "0.00264"), ("claude", "0.00266")],
)
async def test_the_ledger_knows_what_it_cost(
    openai: AsyncOpenAI, world: World, model: str, cost: str
) -> None:
    answer = await openai.chat.completions.with_raw_response.create(model=model, messages=HELLO)

    headers = {"authorization": f"Bearer {world.stoa.key}"}
    with httpx.Client(base_url=world.stoa.url, headers=headers) as http:
        call = call_of(http, answer.headers["x-request-id"])
    assert call["prompt_tokens"] == 100
    assert call["cached_tokens"] == 40
    assert Decimal(call["cost"]) == Decimal(cost)


async def test_embeds(openai: AsyncOpenAI) -> None:
    answer = await openai.embeddings.create(model="vectors", input=["one", "two"])

    assert len(answer.data) == 2
    assert answer.data[1].embedding == pytest.approx([0.6, 0.8])


@pytest.fixture
async def anthropic(world: World) -> AsyncIterator[AsyncAnthropic]:
    stoa = world.stoa
    async with AsyncAnthropic(base_url=stoa.url, api_key=stoa.key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
async def test_anthropics_client_hears_thoughts_and_gives_them_back(
    anthropic: AsyncAnthropic, model: str
) -> None:
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
    }
    messages: list[Any] = [{"role": "user", "content": "Where is it warm?"}]

    async with anthropic.messages.stream(messages=messages, **asked) as stream:
        first = await stream.get_final_message()
    uses = [block for block in first.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": use.id, "content": f"{20 + number} degrees"}
        for number, use in enumerate(uses)
    ]
    messages += [
        {"role": "assistant", "content": first.to_dict()["content"]},
        {"role": "user", "content": results},
    ]
    answer = await anthropic.messages.create(messages=messages, **asked)

    assert first.stop_reason == "tool_use"
    assert first.content[0].type == "thinking"
    assert [use.input for use in uses] == [{"city": "Bern"}, {"city": "Rome"}]
    assert [block.text for block in answer.content if block.type == "text"] == [
        "20 degrees and 21 degrees"
    ]


@pytest.mark.parametrize(("model", "cached", "written"), [("gemini", 40, 0), ("claude", 40, 10)])
async def test_anthropics_client_is_told_what_was_cached_beside_the_rest(
    anthropic: AsyncAnthropic, model: str, cached: int, written: int
) -> None:
    message = await anthropic.messages.create(
        model=model, max_tokens=100, messages=[{"role": "user", "content": "hello"}]
    )

    usage = message.usage
    assert usage.cache_read_input_tokens == cached
    assert (usage.cache_creation_input_tokens or 0) == written
    assert usage.input_tokens == 100 - cached - written
    assert usage.output_tokens == 20


@pytest.mark.parametrize("model", MODELS)
async def test_responses_are_answered_too(openai: AsyncOpenAI, model: str) -> None:
    whole = await openai.responses.create(model=model, input="hello there world", store=False)
    stream = await openai.responses.create(
        model=model, input="hello there world", store=False, stream=True
    )
    events = [event async for event in stream]

    assert whole.output_text == "hello there world"
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == "hello there world"
    assert events[-1].type == "response.completed"


async def test_google_itself_counts_tokens(anthropic: AsyncAnthropic) -> None:
    count = await anthropic.messages.count_tokens(
        model="gemini", messages=[{"role": "user", "content": "hello"}]
    )

    assert count.input_tokens == len("hello")
