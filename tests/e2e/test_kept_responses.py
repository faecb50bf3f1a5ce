"""Responses that outlive their server, that others do not find, and that come from a provider which
speaks the API itself."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openai as sdk
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.fakes.upstream import Upstream, chunk, json_answer, running_upstream, stream_head
from tests.fixtures.server import StoaServer, serving

PASSWORD = "canary-otter-lamp-42"
CONFIG = """
providers:
  - {{name: script, type: scripted}}
  - {{name: chats, type: openai-compatible, base_url: "{base_url}"}}
  - {{name: far, type: openai-compatible, base_url: "{base_url}", operations: [responses]}}
models:
  - {{name: echo, provider: script}}
  - {{name: ponderer, provider: chats}}
  - {{name: thinker, provider: far, upstream_name: gpt-up}}
"""
THOUGHT = {"type": "reasoning", "id": "rs_up", "summary": [], "encrypted_content": "gAAA"}
SAID = {
    "type": "message",
    "id": "msg_up",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Deep.", "annotations": []}],
}
RESPONSE: dict[str, Any] = {
    "id": "resp_upstream",
    "object": "response",
    "created_at": 5,
    "model": "gpt-up-2026",
    "status": "completed",
    "output": [THOUGHT, SAID],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "store": False,
    "usage": {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 18,
    },
}


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as running:
        yield running


@pytest.fixture(scope="module")
async def kept_server(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StoaServer]:
    folder: Path = tmp_path_factory.mktemp("kept")
    async with serving(folder, CONFIG.format(base_url=upstream.base_url)) as server:
        yield server


@pytest.fixture
def client(kept_server: StoaServer) -> Iterator[OpenAI]:
    with _client(kept_server, kept_server.key) as client:
        yield client


def _client(server: StoaServer, key: str) -> OpenAI:
    return OpenAI(base_url=server.base_url, api_key=key, max_retries=0)


def _async_client(server: StoaServer) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=server.base_url, api_key=server.key, max_retries=0)


def _operator(server: StoaServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.key}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=30)


def _keys_of_others(server: StoaServer) -> tuple[str, str]:
    """A key of a caller in the same team, and one of another team's owner."""
    with _operator(server) as operator:
        people = {}
        for name in ("colleague", "stranger"):
            body = {
                "email": f"{name}@example.org",
                "display_name": name,
                "role": "member",
                "password": PASSWORD,
            }
            people[name] = operator.post("/api/v1/users", json=body).raise_for_status().json()["id"]
        team = {"name": "Elsewhere", "owner_id": people["stranger"]}
        operator.post("/api/v1/teams", json=team).raise_for_status()
        operator.delete(f"/api/v1/members/{people['stranger']}").raise_for_status()
    return _key_of(server, "colleague"), _key_of(server, "stranger")


def _key_of(server: StoaServer, name: str) -> str:
    body = {"email": f"{name}@example.org", "password": PASSWORD}
    with httpx.Client(base_url=server.url, timeout=30) as client:
        token = client.post("/api/v1/auth/token", json=body).raise_for_status().json()
        client.headers["authorization"] = f"Bearer {token['access_token']}"
        made = client.post(
            "/api/v1/keys", json={"name": "mine", "scopes": ["models.invoke"]}
        ).raise_for_status()
        key: str = made.json()["key"]
    return key


def test_others_do_not_find_a_response(kept_server: StoaServer, client: OpenAI) -> None:
    answer = client.responses.create(model="echo", input="ours alone")
    (item,) = client.responses.input_items.list(answer.id).data

    for key in _keys_of_others(kept_server):
        with _client(kept_server, key) as other:
            for knock in (
                lambda: other.responses.retrieve(answer.id),
                lambda: other.responses.delete(answer.id),
                lambda: other.responses.cancel(answer.id),
                lambda: other.responses.input_items.list(answer.id),
            ):
                with pytest.raises(sdk.NotFoundError) as refused:
                    knock()
                assert "ours alone" not in str(refused.value.body)
            with pytest.raises(sdk.BadRequestError, match="not found"):
                other.responses.create(model="echo", input="and?", previous_response_id=answer.id)
            with pytest.raises(sdk.BadRequestError):
                other.responses.create(
                    model="echo", input=[{"type": "item_reference", "id": item.id}]
                )
    assert client.responses.retrieve(answer.id).output_text == "ours alone"


def test_a_conversation_goes_on_after_a_restart(kept_server: StoaServer, client: OpenAI) -> None:
    first = client.responses.create(model="echo", input="one")
    stream = client.responses.create(
        model="echo", input="two", previous_response_id=first.id, stream=True
    )
    last = list(stream)[-1]
    assert last.type == "response.completed"

    kept_server.stop()
    kept_server.start()
    third = client.responses.create(
        model="echo", input="three", previous_response_id=last.response.id
    )

    # The script counts the words of all that is said to it.
    assert third.usage is not None
    assert first.usage is not None
    assert third.usage.input_tokens > first.usage.input_tokens + 1
    assert client.responses.retrieve(first.id).output_text == "one"


def test_a_team_decides_whether_responses_are_kept(kept_server: StoaServer, client: OpenAI) -> None:
    with _operator(kept_server) as operator:
        operator.patch("/api/v1/settings", json={"store_responses": False}).raise_for_status()
        try:
            answer = client.responses.create(model="echo", input="hello")
            with pytest.raises(sdk.PermissionDeniedError) as refused:
                client.responses.create(model="echo", input="hello", store=True)
        finally:
            operator.patch("/api/v1/settings", json={"store_responses": None}).raise_for_status()

    assert answer.model_extra is not None
    assert answer.model_extra["store"] is False
    assert refused.value.code == "storing_disabled"
    with pytest.raises(sdk.NotFoundError):
        client.responses.retrieve(answer.id)


async def test_a_provider_that_speaks_the_api_is_asked_in_it(
    kept_server: StoaServer, upstream: Upstream
) -> None:
    upstream.default = [json_answer(msgspec.json.encode(RESPONSE))]
    async with _async_client(kept_server) as client:
        first = await client.responses.create(model="thinker", input="why?", instructions="Think.")
        second = await client.responses.create(
            model="thinker",
            input="and then?",
            previous_response_id=first.id,
            reasoning={"effort": "low"},
        )

    asked = upstream.requests[-1]
    assert asked.target == "/v1/responses"
    said = {name: value for name, value in SAID.items() if name != "id"}
    assert asked.json == {
        "model": "gpt-up",
        "input": [
            {
                "status": "completed",
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "why?"}],
            },
            THOUGHT,
            said,
            {"type": "message", "role": "user", "content": "and then?"},
        ],
        "reasoning": {"effort": "low"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert second.output_text == "Deep."
    assert (second.id[:5], second.model) == ("resp_", "thinker")
    assert second.id != "resp_upstream"
    assert second.previous_response_id == first.id
    assert first.instructions == "Think."
    assert second.usage is not None
    assert second.usage.output_tokens_details.reasoning_tokens == 5


async def test_a_providers_own_events_pass_through(
    kept_server: StoaServer, upstream: Upstream
) -> None:
    def event(kind: str, number: int, **members: Any) -> bytes:
        body = msgspec.json.encode({"type": kind, "sequence_number": number} | members)
        return chunk(b"event: %b\ndata: %b\n\n" % (kind.encode(), body))

    begun = RESPONSE | {"status": "in_progress", "output": [], "usage": None}
    place = {"output_index": 0, "item_id": "msg_up", "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    added = SAID | {"content": [], "status": "in_progress"}
    upstream.streamed = [
        stream_head(),
        event("response.created", 0, response=begun),
        event("response.output_item.added", 1, output_index=0, item=added),
        event("response.content_part.added", 2, part=part, **place),
        event("response.output_text.delta", 3, delta="Deep.", logprobs=[], **place),
        event("response.output_text.done", 4, text="Deep.", logprobs=[], **place),
        event("response.content_part.done", 5, part=part | {"text": "Deep."}, **place),
        event("response.output_item.done", 6, output_index=0, item=SAID),
        event("response.completed", 7, response=RESPONSE | {"output": [SAID]}),
        chunk(b""),
    ]
    async with _async_client(kept_server) as client:
        async with client.responses.stream(model="thinker", input="why?") as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        kept = await client.responses.retrieve(final.id)

    assert [event.sequence_number for event in events] == list(range(8))
    assert final.output_text == kept.output_text == "Deep."
    assert final.id != "resp_upstream"
    assert (final.model, kept.model) == ("thinker", "thinker")
    assert kept.status == "completed"


def _chat_chunks(*deltas: dict[str, Any], reason: str = "stop") -> list[bytes]:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "ponderer"}
    bodies: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    last = {"index": 0, "delta": {}, "finish_reason": reason}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    bodies += [{"choices": [last]}, {"choices": [], "usage": usage}]
    data = [b"data: %b\n\n" % msgspec.json.encode(head | body) for body in bodies]
    return [stream_head(), *map(chunk, [*data, b"data: [DONE]\n\n"]), chunk(b"")]


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        (
            {},
            [
                "response.content_part.added",
                "response.reasoning_text.delta",
                "response.reasoning_text.delta",
                "response.reasoning_text.done",
                "response.content_part.done",
            ],
        ),
        (
            {"reasoning": {"summary": "auto"}},
            [
                "response.reasoning_summary_part.added",
                "response.reasoning_summary_text.delta",
                "response.reasoning_summary_text.delta",
                "response.reasoning_summary_text.done",
                "response.reasoning_summary_part.done",
            ],
        ),
    ],
    ids=["shown", "summed up"],
)
async def test_thoughts_and_refusals_of_chats_are_typed_events(
    kept_server: StoaServer, upstream: Upstream, asked: dict[str, Any], kinds: list[str]
) -> None:
    upstream.streamed = _chat_chunks(
        {"role": "assistant", "reasoning_content": "Should "},
        {"reasoning_content": "I?"},
        {"refusal": "I will "},
        {"refusal": "not."},
    )
    async with (
        _async_client(kept_server) as client,
        client.responses.stream(model="ponderer", input="?", **asked) as stream,
    ):
        events = [event async for event in stream]
        final = await stream.get_final_response()

    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        *kinds,
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.refusal.delta",
        "response.refusal.delta",
        "response.refusal.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    thought, said = final.output
    assert thought.type == "reasoning"
    assert said.type == "message"
    assert said.content[0].type == "refusal"
    assert final.usage is not None
    assert final.usage.total_tokens == 7


async def test_parallel_calls_of_chats_are_items_of_their_own(
    kept_server: StoaServer, upstream: Upstream
) -> None:
    def called(index: int, **members: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, **members}]}

    upstream.streamed = _chat_chunks(
        {"role": "assistant", "content": "Both."},
        called(0, id="c1", type="function", function={"name": "f", "arguments": ""}),
        called(1, id="c2", type="function", function={"name": "g", "arguments": "{}"}),
        called(0, function={"arguments": '{"a":1}'}),
        reason="tool_calls",
    )
    tools: Any = [
        {"type": "function", "name": name, "parameters": {}, "strict": False} for name in "fg"
    ]
    async with (
        _async_client(kept_server) as client,
        client.responses.stream(model="ponderer", input="?", tools=tools) as stream,
    ):
        final = await stream.get_final_response()

    calls = [item for item in final.output if item.type == "function_call"]
    assert final.output_text == "Both."
    assert [(call.call_id, call.name, call.arguments) for call in calls] == [
        ("c1", "f", '{"a":1}'),
        ("c2", "g", "{}"),
    ]


async def test_a_providers_failure_is_told_as_openai_tells_it(
    kept_server: StoaServer, upstream: Upstream
) -> None:
    body = msgspec.json.encode({"error": {"message": "too long", "code": "string_above_max"}})
    upstream.default = upstream.streamed = [json_answer(body, status=400)]

    async with _async_client(kept_server) as client:
        for stream in (False, True):
            for model in ("ponderer", "thinker"):
                with pytest.raises(sdk.BadRequestError) as refused:
                    await client.responses.create(model=model, input="?", stream=stream)
                assert refused.value.code == "string_above_max"
