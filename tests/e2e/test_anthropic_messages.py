"""The official client of Anthropic against models that speak something else."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from anthropic import (
    Anthropic,
    APIStatusError,
    AsyncAnthropic,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    beta_tool,
)
from anthropic.types import MessageParam, TextBlock, ToolParam, ToolUseBlock
from anthropic.types.beta import BetaMessageParam

from tests.fixtures.ledger import call_of
from tests.fixtures.server import StoaServer

HELLO: list[MessageParam] = [{"role": "user", "content": "hello there world"}]
BETA_HELLO: list[BetaMessageParam] = [{"role": "user", "content": "hello there world"}]
WEATHER: ToolParam = {"name": "get_weather", "input_schema": {"type": "object"}}


@pytest.fixture
def client(server: StoaServer) -> Iterator[Anthropic]:
    with Anthropic(base_url=server.url, api_key=server.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: StoaServer) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=server.url, auth_token=server.key, max_retries=0) as client:
        yield client


def test_answers_the_official_client(client: Anthropic) -> None:
    message = client.messages.create(model="echo", max_tokens=50, messages=HELLO)

    assert message.type == "message"
    assert message.role == "assistant"
    assert message.model == "echo"
    assert message.stop_reason == "end_turn"
    assert [block.text for block in message.content if isinstance(block, TextBlock)] == [
        "hello there world"
    ]
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 3)
    assert message._request_id


async def test_takes_a_bearers_token_as_well(async_client: AsyncAnthropic) -> None:
    message = await async_client.messages.create(model="echo", max_tokens=50, messages=HELLO)

    assert message.content[0].type == "text"


def test_streams_to_the_official_client(client: Anthropic) -> None:
    with client.messages.stream(model="echo", max_tokens=50, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()

    assert text == "hello there world"
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 3)


async def test_streams_to_the_official_async_client(async_client: AsyncAnthropic) -> None:
    async with async_client.messages.stream(model="echo", max_tokens=50, messages=HELLO) as stream:
        text = "".join([piece async for piece in stream.text_stream])

    assert text == "hello there world"


def test_a_limit_of_tokens_is_why_it_stopped(client: Anthropic) -> None:
    message = client.messages.create(model="echo", max_tokens=2, messages=HELLO)

    assert message.stop_reason == "max_tokens"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_round_of_a_coding_agent(client: Anthropic, *, stream: bool) -> None:
    system = [
        {"type": "text", "text": "You are an agent."},
        {"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral"}},
    ]
    tools = [WEATHER | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    asked: dict[str, Any] = {
        "model": "caller",
        "max_tokens": 500,
        "system": system,
        "tools": tools,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "metadata": {"user_id": "user_1"},
    }

    def say(messages: list[Any]) -> list[Any]:
        if not stream:
            return list(client.messages.create(**asked, messages=messages).content)
        with client.messages.stream(**asked, messages=messages) as running:
            return list(running.get_final_message().content)

    first = say([*HELLO])
    call = first[-1]
    assert isinstance(call, ToolUseBlock)
    assert (call.name, call.input) == ("get_weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sun", "is_error": False}
    reminder = {"type": "text", "text": "go on now", "cache_control": {"type": "ephemeral"}}
    second = say(
        [
            *HELLO,
            {"role": "assistant", "content": first},
            {"role": "user", "content": [result]},
        ]
    )
    third = say(
        [
            *HELLO,
            {"role": "assistant", "content": "ok"},
            {"role": "user", "content": [reminder]},
        ]
    )

    assert isinstance(second[0], TextBlock)
    assert isinstance(third[-1], ToolUseBlock)


def test_counts_tokens_by_estimate_and_for_nothing(client: Anthropic, http: httpx.Client) -> None:
    raw = client.messages.with_raw_response.count_tokens(model="echo", messages=HELLO)
    counted = raw.parse()

    row = call_of(http, raw.headers["request-id"])
    assert counted.input_tokens == 9
    assert row["endpoint"] == "/v1/messages/count_tokens"
    assert row["status"] == "succeeded"
    assert float(row["cost"] or 0) == 0


def test_a_call_has_its_row(client: Anthropic, http: httpx.Client) -> None:
    raw = client.messages.with_raw_response.create(model="echo", max_tokens=50, messages=HELLO)

    row = call_of(http, raw.headers["request-id"])

    assert row["endpoint"] == "/v1/messages"
    assert row["finish_reason"] == "stop"
    assert (row["prompt_tokens"], row["completion_tokens"]) == (3, 3)


@pytest.mark.parametrize(
    ("model", "error", "kind"),
    [
        ("nothing", NotFoundError, "not_found_error"),
        ("picky", BadRequestError, "invalid_request_error"),
        ("throttled", RateLimitError, "rate_limit_error"),
        ("broken", InternalServerError, "api_error"),
        ("busy", OverloadedError, "overloaded_error"),
    ],
)
def test_errors_are_those_of_the_official_client(
    client: Anthropic, model: str, error: type[APIStatusError], kind: str
) -> None:
    with pytest.raises(error) as caught:
        client.messages.create(model=model, max_tokens=50, messages=HELLO)

    assert caught.value.type == kind
    assert caught.value.request_id


def test_a_wrong_key_is_nobody(server: StoaServer) -> None:
    with (
        Anthropic(base_url=server.url, api_key="sk-nobody", max_retries=0) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.messages.create(model="echo", max_tokens=50, messages=HELLO)

    assert caught.value.type == "authentication_error"


def test_a_body_that_is_wrong_names_its_parameter(http: httpx.Client) -> None:
    answer = http.post("/v1/messages", json={"model": "echo", "messages": HELLO})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["type"] == "error"
    assert "max_tokens" in answer.json()["error"]["message"]


def test_a_failure_in_the_middle_is_an_event(http: httpx.Client) -> None:
    body = {"model": "cut", "max_tokens": 50, "messages": HELLO, "stream": True}

    answer = http.post("/v1/messages", json=body)

    last = answer.text.strip().rpartition("\n\n")[2]
    assert last.startswith('event: error\ndata: {"type":"error","error":{"type":"api_error"')
    assert "message_stop" not in answer.text


def test_the_official_client_raises_on_a_failure_in_the_middle(client: Anthropic) -> None:
    heard: list[str] = []

    with (
        client.messages.stream(model="cut", max_tokens=50, messages=HELLO) as stream,
        pytest.raises(APIStatusError) as caught,
    ):
        heard.extend(stream.text_stream)

    assert "".join(heard) == "one two three"
    assert caught.value.type == "api_error"


def test_pings_keep_a_slow_stream_alive(client: Anthropic, http: httpx.Client) -> None:
    body = {"model": "hung", "max_tokens": 50, "messages": HELLO, "stream": True}

    with http.stream("POST", "/v1/messages", json=body) as answer:
        lines = answer.iter_lines()
        event = [next(lines) for _ in range(3)]
    with client.messages.stream(model="slow", max_tokens=50, messages=HELLO) as stream:
        text = "".join(stream.text_stream)

    assert event == ["event: ping", 'data: {"type":"ping"}', ""]
    assert text == "hello there world"


def test_retries_what_may_work_later(server: StoaServer) -> None:
    with (
        Anthropic(base_url=server.url, api_key=server.key, max_retries=1) as client,
        pytest.raises(OverloadedError) as caught,
    ):
        client.messages.create(model="busy", max_tokens=50, messages=HELLO)

    assert caught.value.request.headers["x-stainless-retry-count"] == "1"


def test_the_beta_api_of_the_client_works_as_well(client: Anthropic) -> None:
    message = client.beta.messages.create(
        model="echo", max_tokens=50, messages=BETA_HELLO, betas=["claude-code-20250219"]
    )
    counted = client.beta.messages.count_tokens(model="echo", messages=BETA_HELLO)

    assert message.content[0].type == "text"
    assert counted.input_tokens == 9


def test_the_clients_own_agent_runs_tools(client: Anthropic) -> None:
    asked: list[str] = []

    @beta_tool(name="get_weather")
    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "sunny"

    runner = client.beta.messages.tool_runner(
        model="caller", max_tokens=500, messages=BETA_HELLO, tools=[get_weather]
    )
    messages = list(runner)

    assert asked == ["Paris"]
    assert [message.stop_reason for message in messages] == ["tool_use", "end_turn"]


def test_what_a_model_cannot_do_is_said(client: Anthropic) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.messages.create(
            model="echo",
            max_tokens=50,
            messages=HELLO,
            tools=[{"type": "web_search_20250305", "name": "web_search"}],
        )

    assert "tools[0]" in str(caught.value)
