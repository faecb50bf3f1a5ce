"""A model in this process, asked in Anthropic's format."""

import json
from typing import Any

import pytest
from anthropic.types import Message

from adapters.providers.local.provider import LocalProvider
from adapters.providers.translation.chat import TranslatingHost
from application.inference.ports import ModelProvider, Operation, ProviderRequest
from domain.inference.errors import UnsupportedByModelError
from tests.fakes.local_models import SMOLLM2
from tests.fakes.openai_like_bench import surroundings

pytestmark = pytest.mark.local_model

CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.fixture
def host(provider: LocalProvider) -> ModelProvider:
    return TranslatingHost(provider, provider, surroundings())


def asking(*, stream: bool = False, **members: Any) -> ProviderRequest:
    body: dict[str, Any] = {
        "model": SMOLLM2.name,
        "max_tokens": 60,
        "temperature": 0,
        "system": [
            {"type": "text", "text": "You answer.", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "In one word."},
        ],
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    }
    return ProviderRequest(
        operation=Operation.MESSAGES,
        model=SMOLLM2,
        body=json.dumps(body | {"stream": stream} | members).encode(),
        correlation_id="c-1",
        stream=stream,
    )


async def test_answers_a_question_in_anthropics_shape(host: ModelProvider) -> None:
    answer = await host.complete(asking())

    message = Message.model_validate_json(answer.body, strict=True)
    assert message.content[0].type == "text"
    assert "Paris" in message.content[0].text
    assert message.stop_reason == "end_turn"
    # What the model still knew of the prompt is told beside the rest.
    cached = message.usage.cache_read_input_tokens or 0
    assert message.usage.input_tokens + cached == answer.usage.prompt_tokens > 0


async def test_streams_the_same(host: ModelProvider) -> None:
    stream = await host.open_stream(asking(stream=True))
    said = b"".join([block async for block in stream]).decode()

    data = [json.loads(line[6:]) for line in said.splitlines() if line.startswith("data: ")]
    text = "".join(one["delta"]["text"] for one in data if one["type"] == "content_block_delta")
    assert "Paris" in text
    assert data[-2]["usage"]["output_tokens"] == stream.report.usage.completion_tokens > 0
    assert data[-1] == {"type": "message_stop"}


async def test_calls_a_tool_and_hears_its_result(host: ModelProvider) -> None:
    tools = [{"name": "weather", "description": "The weather.", "input_schema": CITY}]
    asked: dict[str, Any] = {"tools": tools, "tool_choice": {"type": "any"}}

    first = Message.model_validate_json((await host.complete(asking(**asked))).body, strict=True)
    call = first.content[-1]
    assert call.type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    history = [
        {"role": "user", "content": "How is the weather in Paris?"},
        {"role": "assistant", "content": [call.model_dump(exclude_none=True)]},
        {"role": "user", "content": [result, {"type": "text", "text": "Tell me."}]},
    ]
    last = await host.complete(asking(tools=tools, messages=history, tool_choice={"type": "none"}))

    assert first.stop_reason == "tool_use"
    assert "city" in call.input
    assert Message.model_validate_json(last.body).content[0].type == "text"


async def test_follows_a_schema(host: ModelProvider) -> None:
    wanted = {"format": {"type": "json_schema", "schema": CITY}}

    answer = await host.complete(asking(output_config=wanted))

    message = Message.model_validate_json(answer.body, strict=True)
    assert message.content[0].type == "text"
    assert set(json.loads(message.content[0].text)) == {"city"}


async def test_an_image_is_refused_by_name(host: ModelProvider) -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}

    with pytest.raises(UnsupportedByModelError) as caught:
        await host.complete(asking(messages=[{"role": "user", "content": [image]}]))

    assert caught.value.param == "messages"
