import json
import re
from typing import Any

import pytest

from adapters.providers.local.provider import LocalProvider
from domain.shared.errors import InvalidError
from tests.fakes.local_models import ADD, WEATHER, chat_request, read_events

pytestmark = pytest.mark.local_model

CITY = {
    "type": "object",
    "properties": {"city": {"enum": ["Paris", "Rome"]}, "size": {"type": "integer"}},
    "required": ["city", "size"],
    "additionalProperties": False,
}


async def chat(provider: LocalProvider, **body: Any) -> dict[str, Any]:
    answer = await provider.complete(chat_request(**body))
    decoded: dict[str, Any] = json.loads(answer.body)
    return decoded


async def test_enforces_a_json_schema(provider: LocalProvider) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}

    for seed in range(3):
        body = await chat(
            provider, response_format=wanted, temperature=1.2, seed=seed, max_tokens=200
        )

        value = json.loads(body["choices"][0]["message"]["content"])
        assert value["city"] in {"Paris", "Rome"}
        assert isinstance(value["size"], int)


@pytest.mark.parametrize(
    "pattern", [r"^\d{3}-\w$", r"^[\w.-]{2}\/\S$", "^.{4}$", r'^[^a]{4}"\\\n$', "^[ -~]{3}x"]
)
async def test_enforces_a_pattern(provider: LocalProvider, pattern: str) -> None:
    schema: dict[str, Any] = {"type": "string", "pattern": pattern}
    described = {"name": "x", "schema": schema, "strict": True}
    wanted = {"type": "json_schema", "json_schema": described}

    for seed in range(3):
        body = await chat(
            provider, response_format=wanted, temperature=1.2, seed=seed, max_tokens=30
        )

        choice = body["choices"][0]
        if choice["finish_reason"] == "stop":
            assert re.search(pattern, json.loads(choice["message"]["content"]))


async def test_a_json_schema_may_recur(provider: LocalProvider) -> None:
    schema = {
        "type": "object",
        "properties": {"leaf": {"type": "boolean"}, "next": {"$ref": "#"}},
        "required": ["leaf"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "tree", "schema": schema}}

    body = await chat(provider, response_format=wanted, max_tokens=40, seed=1)

    text = "".join(body["choices"][0]["message"]["content"].split())
    assert text.startswith(('{"leaf":true', '{"leaf":false'))


@pytest.mark.parametrize(
    "schema",
    [{"type": "wat"}, {"$ref": "#/nowhere"}, {"anyOf": []}, {"type": "array", "minItems": 10**6}],
    ids=["type", "reference", "empty", "too many"],
)
async def test_refuses_an_impossible_schema(
    provider: LocalProvider, schema: dict[str, Any]
) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    with pytest.raises(InvalidError) as raised:
        await chat(provider, response_format=wanted)

    assert raised.value.param == "response_format"


async def test_calls_a_required_tool(provider: LocalProvider) -> None:
    answer = await provider.complete(
        chat_request(
            messages=[{"role": "user", "content": "What is the weather in Paris?"}],
            tools=[WEATHER, ADD],
            tool_choice={"type": "function", "function": {"name": "get_weather"}},
            temperature=0,
            max_tokens=200,
        )
    )

    choice = json.loads(answer.body)["choices"][0]
    call = choice["message"]["tool_calls"][0]
    assert choice["finish_reason"] == answer.finish_reason == "tool_calls"
    assert choice["message"]["content"] is None
    assert call["id"].startswith("call_")
    assert call["type"] == "function"
    assert call["function"]["name"] == "get_weather"
    assert isinstance(json.loads(call["function"]["arguments"])["city"], str)


async def test_streams_a_tool_call_name_first(provider: LocalProvider) -> None:
    stream = await provider.open_stream(
        chat_request(stream=True, tools=[ADD], tool_choice="required", max_tokens=200, seed=1)
    )

    events = await read_events(stream)

    deltas = [e["choices"][0]["delta"] for e in events if e["choices"]]
    parts = [part for delta in deltas for part in delta.get("tool_calls", [])]
    assert parts[0]["function"] == {"name": "add", "arguments": ""}
    assert len(parts) > 3
    arguments = json.loads("".join(part["function"]["arguments"] for part in parts))
    assert set(arguments) == {"a", "b"}
    assert stream.report.finish_reason == "tool_calls"


async def test_a_tool_may_be_left_alone(provider: LocalProvider) -> None:
    body = await chat(provider, tools=[ADD], tool_choice="auto", max_tokens=200, seed=2)

    message = body["choices"][0]["message"]
    assert (message["content"] is None) == ("tool_calls" in message)


async def test_goes_on_after_a_tool_result(provider: LocalProvider) -> None:
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is 2 and 2?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"a": 2, "b": 2}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "4"},
    ]

    body = await chat(provider, messages=messages, tools=[ADD], tool_choice="none", max_tokens=5)

    assert body["choices"][0]["message"]["content"]
