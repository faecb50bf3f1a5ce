"""Official clients of both formats against providers of both formats."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from anthropic import AsyncAnthropic, OverloadedError
from openai import AsyncOpenAI, BadRequestError

from tests.fakes.agents_server import AgentsServer, running_agents_server
from tests.fakes.anthropic_server import BUSY, KEY, AnthropicServer, running_anthropic
from tests.fixtures.ledger import call_of
from tests.fixtures.server import StoaServer

CONFIG = f"""
providers:
  - {{name: anthropic, type: anthropic, base_url: "%s", api_key: {KEY}}}
  - {{name: agents, type: openai-compatible, base_url: "%s/v1"}}
models:
  - name: claude
    provider: anthropic
    upstream_name: claude-upstream-9
    prices: {{input: "10", output: "100", cached_input: "1", cache_write: "20"}}
  - {{name: busy, provider: anthropic, upstream_name: {BUSY}}}
  - name: agent
    provider: agents
    upstream_name: agent-upstream-9
    prices: {{input: "10", output: "100", cached_input: "1"}}
"""
HELLO: list[Any] = [{"role": "user", "content": "hello there world"}]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
TOOL: Any = {"name": "weather", "input_schema": SCHEMA}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass
class World:
    stoa: StoaServer
    anthropic: AnthropicServer
    agents: AgentsServer


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("two-formats")
    async with running_anthropic() as anthropic, running_agents_server() as agents:
        config = folder / "stoa.yaml"
        config.write_text(CONFIG % (anthropic.url, agents.url))
        with StoaServer(data_dir=folder / "data", config=config) as stoa:
            yield World(stoa, anthropic, agents)


@pytest.fixture
async def openai(world: World) -> AsyncIterator[AsyncOpenAI]:
    stoa = world.stoa
    async with AsyncOpenAI(base_url=stoa.base_url, api_key=stoa.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic(world: World) -> AsyncIterator[AsyncAnthropic]:
    stoa = world.stoa
    async with AsyncAnthropic(base_url=stoa.url, api_key=stoa.key, max_retries=0) as client:
        yield client


async def chatted(openai: AsyncOpenAI, *, stream: bool, **asked: Any) -> Any:
    """The answer to a chat, put together by the client where it is streamed."""
    if not stream:
        return await openai.chat.completions.create(model="claude", **asked)
    options: Any = {"include_usage": True}
    async with openai.chat.completions.stream(
        model="claude",
        stream_options=options,
        **asked,
    ) as events:
        return await events.get_final_completion()


async def messaged(anthropic: AsyncAnthropic, *, stream: bool, **asked: Any) -> Any:
    """The answer to messages, put together by the client where it is streamed."""
    asked = {"max_tokens": 4000, "messages": HELLO, **asked}
    if not stream:
        return await anthropic.messages.create(**asked)
    async with anthropic.messages.stream(**asked) as events:
        return await events.get_final_message()


@BOTH
async def test_openais_client_hears_anthropics_model(openai: AsyncOpenAI, *, stream: bool) -> None:
    answer = await chatted(openai, stream=stream, messages=HELLO)

    assert answer.model == "claude"
    assert answer.choices[0].message.content.strip() == "hello there world"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 100
    assert answer.usage.prompt_tokens_details.cached_tokens == 80
    assert answer.usage.completion_tokens == 20


@BOTH
async def test_openais_client_calls_tools_of_anthropics_model(
    openai: AsyncOpenAI, world: World, *, stream: bool
) -> None:
    first = await chatted(openai, stream=stream, messages=HELLO, tools=[FUNCTION])
    calls = first.choices[0].message.tool_calls
    said = [
        {
            "id": one.id,
            "type": "function",
            "function": one.function.model_dump(include={"name", "arguments"}),
        }
        for one in calls
    ]
    results = [
        {"role": "tool", "tool_call_id": one.id, "content": f"{20 + number} degrees"}
        for number, one in enumerate(calls)
    ]

    messages = [*HELLO, {"role": "assistant", "tool_calls": said}, *results]
    last = await chatted(openai, stream=stream, messages=messages, tools=[FUNCTION])

    assert [json.loads(one.function.arguments)["city"] for one in calls] == ["Bern", "Rome"]
    assert first.choices[0].finish_reason == "tool_calls"
    assert last.choices[0].message.content.strip() == "20 degrees and 21 degrees"
    sent = world.anthropic.seen[-1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert [block["type"] for block in sent[2]["content"]] == ["tool_result", "tool_result"]


@BOTH
async def test_openais_client_reads_the_thoughts_of_anthropics_model(
    openai: AsyncOpenAI, world: World, *, stream: bool
) -> None:
    answer = await chatted(openai, stream=stream, messages=HELLO, reasoning_effort="high")

    assert answer.choices[0].message.reasoning_content == "let me see"
    assert world.anthropic.seen[-1]["output_config"] == {"effort": "high"}


async def test_openais_client_shows_images_and_asks_for_a_schema(
    openai: AsyncOpenAI, world: World
) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    seen: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "look"}, image]}]
    wanted = {"name": "place", "schema": SCHEMA, "strict": True}

    answer = await chatted(openai, stream=False, messages=seen)
    shaped = await chatted(
        openai,
        stream=False,
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": wanted},
    )

    assert answer.choices[0].message.content == "look image"
    source = world.anthropic.seen[-2]["messages"][0]["content"][1]["source"]
    assert source == {"type": "base64", "media_type": "image/png", "data": PNG}
    assert json.loads(shaped.choices[0].message.content) == {"city": "Bern"}


async def test_openais_client_is_told_what_anthropics_model_cannot_do(
    openai: AsyncOpenAI,
) -> None:
    with pytest.raises(BadRequestError) as caught:
        await chatted(openai, stream=False, messages=HELLO, seed=5)

    assert caught.value.param == "seed"
    assert caught.value.code == "unsupported_by_model"


@BOTH
async def test_a_translated_call_costs_what_its_provider_says(
    openai: AsyncOpenAI, world: World, *, stream: bool
) -> None:
    asked: Any = {"model": "claude", "messages": HELLO, "stream": stream}
    raw = await openai.chat.completions.with_raw_response.create(**asked)
    if stream:
        async for _ in raw.parse():
            pass

    with httpx.Client(
        base_url=world.stoa.url, headers={"authorization": f"Bearer {world.stoa.key}"}
    ) as http:
        row = call_of(http, raw.headers["x-request-id"])

    assert (row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"]) == (100, 80, 20)
    # 10 fresh at 10, 80 cached at 1, 10 written at 20, 20 said at 100, per million
    assert Decimal(str(row["cost"])) == Decimal("0.002380")
    assert row["provider_request_id"] == "req_up"


@BOTH
async def test_anthropics_client_hears_its_own_model_as_it_is(
    anthropic: AsyncAnthropic, world: World, *, stream: bool
) -> None:
    answer = await messaged(
        anthropic,
        stream=stream,
        model="claude",
        thinking={"type": "adaptive"},
        extra_headers={"anthropic-beta": "claude-code-20250219,fast-mode-2026-02-01"},
        extra_body={"inference_geo": "eu"},
    )

    assert answer.model == "claude"
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].signature == "signed"
    assert answer.usage.cache_read_input_tokens == 80
    assert world.anthropic.seen[-1]["inference_geo"] == "eu"
    assert world.anthropic.seen[-1]["model"] == "claude-upstream-9"
    assert world.anthropic.headers[-1]["anthropic-beta"] == "claude-code-20250219"


async def test_anthropics_client_counts_tokens(anthropic: AsyncAnthropic) -> None:
    counted = await anthropic.messages.count_tokens(model="claude", messages=HELLO)
    estimated = await anthropic.messages.count_tokens(model="agent", messages=HELLO)

    assert (counted.input_tokens, estimated.input_tokens) == (42, 9)


async def test_anthropics_client_is_told_that_its_provider_is_busy(
    anthropic: AsyncAnthropic,
) -> None:
    with pytest.raises(OverloadedError):
        await messaged(anthropic, stream=False, model="busy")


@BOTH
async def test_a_coding_agent_of_anthropics_works_with_another_model(
    anthropic: AsyncAnthropic, world: World, *, stream: bool
) -> None:
    cached = {"cache_control": {"type": "ephemeral"}}
    asked: dict[str, Any] = {
        "model": "agent",
        "system": [
            {"type": "text", "text": "You are an agent."},
            {"type": "text", "text": "Obey."} | cached,
        ],
        "tools": [TOOL | cached],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "metadata": {"user_id": "user_" + "x" * 90},
    }

    first = await messaged(anthropic, stream=stream, **asked)
    calls = [block for block in first.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": calls[0].id, "content": "20 degrees"},
        {
            "type": "tool_result",
            "tool_use_id": calls[1].id,
            "content": [{"type": "text", "text": "no such city"}],
            "is_error": True,
        },
    ]
    said = [block.model_dump(exclude_none=True) for block in first.content]
    history = [
        *HELLO,
        {"role": "assistant", "content": said},
        {"role": "user", "content": results},
    ]
    last = await messaged(anthropic, stream=stream, **asked, messages=history)

    assert [block.type for block in first.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert first.stop_reason == "tool_use"
    assert [call.input for call in calls] == [{"city": "Bern"}, {"city": "Rome"}]
    assert (first.usage.input_tokens, first.usage.cache_read_input_tokens) == (40, 60)
    assert last.content[0].text.strip() == "20 degrees and Error: no such city"
    sent = world.agents.seen[-1]
    roles = ["system", "user", "assistant", "tool", "tool"]
    assert [message["role"] for message in sent["messages"]] == roles
    assert sent["messages"][2]["reasoning_content"] == "Where?"
    assert sent["max_tokens"] == 4000
    assert "user" not in sent
    assert "cache_control" not in json.dumps(sent)


@BOTH
@pytest.mark.parametrize("model", ["claude", "agent"])
async def test_responses_work_with_either(openai: AsyncOpenAI, model: str, *, stream: bool) -> None:
    tool: Any = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
    asked: dict[str, Any] = {"model": model, "input": "hello there world", "tools": [tool]}

    if stream:
        async with openai.responses.stream(**asked, store=False) as events:
            answer: Any = await events.get_final_response()
    else:
        answer = await openai.responses.create(**asked, store=False)

    calls = [item for item in answer.output if item.type == "function_call"]
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Bern", "Rome"]
    assert answer.status == "completed"
    assert answer.usage.input_tokens == 100
