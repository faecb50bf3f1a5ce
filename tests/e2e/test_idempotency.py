"""Requests with an ``Idempotency-Key``."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import openai as sdk
import pytest
from openai import OpenAI

from tests.fakes.upstream import (
    Act,
    Pause,
    Upstream,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer, serving

CHAT = "/v1/chat/completions"
HEADER = "idempotency-key"
CONFIG = """
providers:
  - {{name: far, type: openai-compatible, base_url: "{base_url}"}}
models:
  - {{name: far, provider: far}}
"""
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "far",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}],
}
CHUNKS = [
    chunk(b"data: " + msgspec.json.encode(one) + b"\n\n")
    for one in (
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]},
    )
] + [chunk(b"data: [DONE]\n\n"), chunk(b"")]


def saying(text: str, model: str = "echo", **members: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **members}


def keyed(key: str | None = None) -> dict[str, str]:
    return {HEADER: key or uuid4().hex}


def calls(http: httpx.Client) -> int:
    totals = http.get("/api/v1/usage", params={"group_by": "model"}).json()["totals"]
    return int(totals["calls"])


def test_the_same_request_gets_the_same_answer_and_is_made_once(http: httpx.Client) -> None:
    headers = keyed()
    before = calls(http)

    first = http.post(CHAT, json=saying("hello"), headers=headers)
    second = http.post(CHAT, json=saying("hello"), headers=headers)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["content-type"] == first.headers["content-type"]
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert calls(http) == before + 1


def test_a_stream_is_replayed_as_a_stream(openai: OpenAI, http: httpx.Client) -> None:
    headers = keyed()
    before = calls(http)

    streams = [
        [
            chunk.model_dump()
            for chunk in openai.chat.completions.create(
                **saying("one two three", stream=True), extra_headers=headers
            )
        ]
        for _ in range(2)
    ]

    assert streams[0] == streams[1]
    assert len(streams[0]) > 2
    assert calls(http) == before + 1


@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings"])
def test_another_request_under_the_same_key_is_a_conflict(http: httpx.Client, path: str) -> None:
    headers = keyed()
    http.post(CHAT, json=saying("hello"), headers=headers).raise_for_status()

    refused = http.post(path, json=saying("something else"), headers=headers)

    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "idempotency_key_reused"
    assert refused.headers["x-should-retry"] == "false"


def test_anthropics_clients_are_refused_in_their_own_words(http: httpx.Client) -> None:
    headers = keyed()
    asked = saying("hello", max_tokens=10)
    http.post("/v1/messages", json=asked, headers=headers).raise_for_status()

    refused = http.post("/v1/messages", json=asked | {"max_tokens": 11}, headers=headers)

    assert refused.status_code == 409
    assert refused.json()["type"] == "error"


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused_by_name(http: httpx.Client, key: str) -> None:
    refused = http.post(CHAT, json=saying("hello"), headers={HEADER: key})

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "Idempotency-Key"


def test_an_error_is_not_kept(http: httpx.Client) -> None:
    headers = keyed()
    before = calls(http)

    codes = [
        http.post(CHAT, json=saying("hello", "picky"), headers=headers).status_code
        for _ in range(2)
    ]

    assert codes == [400, 400]
    assert calls(http) == before + 2


def test_a_stream_that_broke_is_not_kept(http: httpx.Client) -> None:
    headers = keyed()
    before = calls(http)

    for _ in range(2):
        broken = http.post(CHAT, json=saying("x", "cut", stream=True), headers=headers)

        assert broken.status_code == 200
        assert "error" in broken.text
        assert "idempotent-replayed" not in broken.headers
    assert calls(http) == before + 2


def test_what_is_made_over_the_api_is_made_once(http: httpx.Client) -> None:
    headers = keyed()
    asked = {"name": f"once {uuid4().hex}"}

    first = http.post("/api/v1/keys", json=asked, headers=headers)
    second = http.post("/api/v1/keys", json=asked, headers=headers)
    third = http.post("/api/v1/keys", json={"name": "another"}, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert third.status_code == 409
    assert third.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_form_is_the_same_whatever_its_boundary(http: httpx.Client) -> None:
    headers = keyed()

    def sent(boundary: str, text: str) -> httpx.Response:
        field = 'Content-Disposition: form-data; name="model"\r\n\r\nlistener'
        file = f'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n{text}'
        line = f"--{boundary}"
        body = f"{line}\r\n{field}\r\n{line}\r\n{file}\r\n{line}--\r\n"
        form = {"content-type": f"multipart/form-data; boundary={boundary}"}
        return http.post("/v1/audio/transcriptions", content=body, headers=headers | form)

    first, second = sent("one", "what is heard"), sent("two", "what is heard")
    other = sent("three", "something else")

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["idempotent-replayed"] == "true"
    assert other.json()["error"]["code"] == "idempotency_key_reused"


def test_other_keys_of_the_team_have_keys_of_their_own(http: httpx.Client) -> None:
    headers = keyed()
    made = http.post("/api/v1/keys", json={"name": uuid4().hex}).json()
    mine = http.post(CHAT, json=saying("hello"), headers=headers)

    theirs = http.post(
        CHAT,
        json=saying("something else"),
        headers=headers | {"authorization": f"Bearer {made['key']}"},
    )

    assert (mine.status_code, theirs.status_code) == (200, 200)


@pytest.fixture(scope="module")
async def first_upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as running:
        yield running


@pytest.fixture
def upstream(first_upstream: Upstream) -> Upstream:
    """As if nobody had asked it yet."""
    first_upstream.requests.clear()
    first_upstream.arrived.clear()
    return first_upstream


@pytest.fixture(scope="module")
async def far(
    first_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StoaServer]:
    folder = tmp_path_factory.mktemp("idempotency")
    async with serving(folder, CONFIG.format(base_url=first_upstream.base_url)) as server:
        yield server


@pytest.mark.parametrize("stream", [False, True])
async def test_who_leaves_and_comes_again_gets_the_answer_that_was_made_meanwhile(
    far: StoaServer, upstream: Upstream, stream: bool
) -> None:
    may_answer = asyncio.Event()
    answer = json_answer(msgspec.json.encode(ANSWER))
    upstream.play(may_answer, *([stream_head(), *CHUNKS] if stream else [answer]))
    headers = keyed() | {"authorization": f"Bearer {far.key}"}
    body = saying("hello", "far", stream=stream)

    async with httpx.AsyncClient(base_url=far.url, headers=headers, timeout=PATIENCE_S) as client:
        leaving = asyncio.create_task(client.post(CHAT, json=body))
        async with asyncio.timeout(PATIENCE_S):
            await upstream.arrived.wait()
        leaving.cancel()
        await asyncio.wait([leaving])
        early = await client.post(CHAT, json=body)
        may_answer.set()
        while (again := await client.post(CHAT, json=body)).status_code == 409:
            await asyncio.sleep(0.05)

    assert early.json()["error"]["code"] == "idempotency_in_progress"
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert "Hi" in again.text
    assert len(upstream.requests) == 1


async def test_the_official_client_waits_for_the_answer_of_its_twin(
    far: StoaServer, upstream: Upstream
) -> None:
    upstream.play(Pause(1), json_answer(msgspec.json.encode(ANSWER)))
    headers = keyed()
    first = asyncio.create_task(asyncio.to_thread(_ask, far, headers, retries=0))
    async with asyncio.timeout(PATIENCE_S):
        await upstream.arrived.wait()

    second = await asyncio.to_thread(_ask, far, headers, retries=10)

    assert second == await first
    # The one that was told to come again was never a call.
    assert len(upstream.requests) == 1


async def test_the_answer_survives_a_restart_without_a_second_upstream_call(
    far: StoaServer, upstream: Upstream
) -> None:
    upstream.play(json_answer(msgspec.json.encode(ANSWER)))
    headers = keyed()

    first = await asyncio.to_thread(_ask, far, headers)
    await asyncio.to_thread(far.kill)
    await asyncio.to_thread(far.start)
    second = await asyncio.to_thread(_ask, far, headers)

    assert first == second
    assert len(upstream.requests) == 1


async def test_the_second_of_two_at_the_same_time_is_told_to_come_again(
    far: StoaServer, upstream: Upstream
) -> None:
    upstream.play(Act.HANG)
    headers = keyed()
    first = asyncio.create_task(asyncio.to_thread(_ask_raw, far, headers))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await upstream.arrived.wait()

        second = await asyncio.to_thread(_ask_raw, far, headers)

        assert second.status_code == 409
        assert second.json()["error"]["code"] == "idempotency_in_progress"
        assert second.headers["retry-after"] == "1"
        assert len(upstream.requests) == 1
    finally:
        await upstream.drop_connections()
        await asyncio.gather(first, return_exceptions=True)


def _ask(server: StoaServer, headers: dict[str, str], retries: int = 0) -> str:
    with sdk.OpenAI(base_url=server.base_url, api_key=server.key, max_retries=retries) as client:
        answer = client.chat.completions.create(**saying("hello", "far"), extra_headers=headers)
    return str(answer.model_dump_json())


def _ask_raw(server: StoaServer, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(
        f"{server.url}{CHAT}",
        json=saying("hello", "far"),
        headers=headers | {"authorization": f"Bearer {server.key}"},
        timeout=30,
    )
