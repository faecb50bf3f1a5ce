"""Answers that are given again, as official clients see them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from anthropic import Anthropic
from openai import OpenAI

from tests.fixtures.ledger import call_of
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer, serving

Answer = TypeVar("Answer", bound=tuple[Any, ...])
PASSWORD = "canary-otter-lamp-42"
CONFIG = """
providers:
  - {name: script, type: scripted}
  - {name: near, type: local}
models:
  - {name: echo, provider: script, prices: {input: "1.5", output: "6"}}
  - {name: meanings, provider: near, kind: embedding, upstream_name: "embedded:all-minilm-l6-v2"}
routes:
  - name: kept
    targets: [{model: echo}]
    cache: {ttl_s: 600}
  - name: alike
    targets: [{model: echo}]
    cache: {ttl_s: 600, semantic_threshold: 0.8}
"""


@pytest.fixture(scope="module")
async def caching_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoaServer]:
    folder: Path = tmp_path_factory.mktemp("caching")
    async with serving(folder, CONFIG) as server:
        yield server


@pytest.fixture
def client(caching_server: StoaServer) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=caching_server.base_url, api_key=caching_server.key, max_retries=0
    ) as client:
        yield client


def ask(client: OpenAI, text: str, model: str = "kept", **fields: Any) -> tuple[str, Any]:
    """What is answered, and its headers."""
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": text}], **fields
    )
    return raw.parse().choices[0].message.content or "", raw.headers


def until_kept(ask: Callable[[], Answer]) -> Answer:
    """The first answer that comes out of the cache. A call does without it where the database lets
    it wait, as one does on a machine that has much else to do."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask())[-1]["x-stoa-cache"] not in {"hit", "semantic"}:
        assert time.monotonic() < deadline, answer
    return answer


def call(server: StoaServer, headers: Any) -> dict[str, Any]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        client.headers["authorization"] = f"Bearer {server.key}"
        return call_of(client, headers["x-stoa-call-id"])


def streamed(client: OpenAI, text: str) -> tuple[str, int, Any]:
    raw = client.chat.completions.with_raw_response.create(
        model="kept", messages=[{"role": "user", "content": text}], stream=True
    )
    chunks = list(raw.parse())
    said = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    return said, len(chunks), raw.headers


def test_the_second_of_two_equal_calls_costs_nothing(
    caching_server: StoaServer, client: OpenAI
) -> None:
    first, missed = ask(client, "once and again")

    second, hit = until_kept(lambda: ask(client, "once and again", user="somebody"))

    assert first == second
    assert (missed["x-stoa-cache"], hit["x-stoa-cache"]) in {("miss", "hit"), ("away", "hit")}
    assert hit["age"].isdigit()
    was, row = call(caching_server, missed), call(caching_server, hit)
    assert (row["cache"], row["cost"], row["saved"]) == ("hit", "0", was["cost"])
    assert row["prompt_tokens"] == was["prompt_tokens"] > 0
    assert row["model"] == "kept"


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("no-store", "bypass"),
        ("no-cache", "bypass"),
        ("max-age=0", "bypass"),
        ("max-age=soon", "bypass"),
    ],
)
def test_a_client_may_want_a_fresh_answer(client: OpenAI, wish: str, told: str) -> None:
    ask(client, f"fresh {wish}")

    _, headers = ask(client, f"fresh {wish}", extra_headers={"cache-control": wish})

    assert headers["x-stoa-cache"] == told


def test_a_client_may_say_how_old_an_answer_may_be(client: OpenAI) -> None:
    wish = {"cache-control": "private, max-age=99999999999999999999"}

    _, headers = until_kept(lambda: ask(client, "not too old", extra_headers=wish))

    assert int(headers["age"]) < 600


def test_a_stream_is_replayed_as_a_stream(client: OpenAI) -> None:
    said, chunks, missed = streamed(client, "one two three four")

    again, chunks_again, hit = until_kept(lambda: streamed(client, "one two three four"))

    assert (again, chunks_again) == (said, chunks)
    assert chunks > 2
    assert missed["x-stoa-cache"] != hit["x-stoa-cache"] == "hit"


def test_an_answer_is_given_again_in_the_other_form(
    caching_server: StoaServer, client: OpenAI
) -> None:
    text = "it may be wanted either way"
    said, _ = until_kept(lambda: ask(client, text))
    streamed_said, chunks, headers = until_kept(lambda: streamed(client, text))
    other_said, own_chunks, _ = until_kept(lambda: streamed(client, f"{text} or the other"))
    whole_said, _ = until_kept(lambda: ask(client, f"{text} or the other"))

    assert (streamed_said, whole_said) == (said, other_said)
    # Each text in one piece.
    assert 2 < chunks < 6 < own_chunks
    row = call(caching_server, headers)
    assert (row["stream"], row["cost"]) == (True, "0")
    assert row["completion_tokens"] > 0


def test_equal_calls_at_once_ask_a_model_once(client: OpenAI) -> None:
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(ask, client, "all at once") for _ in range(8)]
        told = [one.result()[1]["x-stoa-cache"] for one in asked]

    # Whether they overlap or not.
    assert told.count("miss") == 1 or "away" in told


def test_messages_and_responses_are_kept_too(caching_server: StoaServer, client: OpenAI) -> None:
    with Anthropic(
        base_url=caching_server.url, api_key=caching_server.key, max_retries=0
    ) as messages:

        def say() -> tuple[str, Any]:
            raw = messages.messages.with_raw_response.create(
                model="kept", max_tokens=50, messages=[{"role": "user", "content": "a message"}]
            )
            return "", raw.headers

        told = [say()[1]["x-stoa-cache"], until_kept(say)[1]["x-stoa-cache"]]

    def respond() -> tuple[str, Any]:
        raw = client.responses.with_raw_response.create(model="kept", input="a response")
        return raw.parse().id, raw.headers

    first, missed = respond()
    second, hit = until_kept(respond)
    told += [missed["x-stoa-cache"], hit["x-stoa-cache"]]

    assert [one == "hit" for one in told] == [False, True, False, True]
    assert first != second


def test_a_similar_question_gets_the_same_answer(
    caching_server: StoaServer, client: OpenAI
) -> None:
    first, _ = ask(client, "How can I reset my password?", model="alike")

    second, headers = until_kept(lambda: ask(client, "How do I reset my password?", model="alike"))
    other, missed = ask(client, "Which whales are blue?", model="alike")

    assert missed["x-stoa-cache"] != headers["x-stoa-cache"] == "semantic"
    assert second == first != other
    assert headers["x-stoa-reason"].startswith("similarity 0.9")
    row = call(caching_server, headers)
    assert (row["cache"], row["reason"]) == ("semantic", headers["x-stoa-reason"])


def test_two_teams_never_share(caching_server: StoaServer, client: OpenAI) -> None:
    ask(client, "ours alone")
    with OpenAI(
        base_url=caching_server.base_url, api_key=_key_of_another_team(caching_server)
    ) as stranger:
        _, headers = ask(stranger, "ours alone")

    assert headers["x-stoa-cache"] != "hit"


async def test_a_restart_keeps_what_was_kept(caching_server: StoaServer, client: OpenAI) -> None:
    await asyncio.to_thread(until_kept, lambda: ask(client, "before and after"))
    await asyncio.to_thread(caching_server.stop)
    await asyncio.to_thread(caching_server.start)

    first, headers = ask(client, "before and after")

    # Unless it had to do without the cache.
    assert headers["x-stoa-cache"] in {"hit", "away"}, first


def _key_of_another_team(server: StoaServer) -> str:
    with httpx.Client(base_url=server.url, timeout=30) as operator:
        operator.headers["authorization"] = f"Bearer {server.key}"
        person = {
            "email": "stranger@example.org",
            "display_name": "stranger",
            "role": "member",
            "password": PASSWORD,
        }
        person_id = operator.post("/api/v1/users", json=person).raise_for_status().json()["id"]
        team = {"name": "Elsewhere", "owner_id": person_id}
        operator.post("/api/v1/teams", json=team).raise_for_status()
        operator.delete(f"/api/v1/members/{person_id}").raise_for_status()
    with httpx.Client(base_url=server.url, timeout=30) as client:
        body = {"email": "stranger@example.org", "password": PASSWORD}
        token = client.post("/api/v1/auth/token", json=body).raise_for_status().json()
        client.headers["authorization"] = f"Bearer {token['access_token']}"
        made = client.post("/api/v1/keys", json={"name": "mine", "scopes": ["models.invoke"]})
        key: str = made.raise_for_status().json()["key"]
    return key
