"""Whatever an upstream does wrong ends in a typed error, a row in the ledger and a released hold.

In every dialect, in one piece and as a stream.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Pause,
    Script,
    Upstream,
    answer,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)
from tests.fixtures.ledger import call_of
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer, serving

CONFIG = """
providers:
  - {{name: far, type: openai-compatible, base_url: "{base_url}"}}
  - name: hasty
    type: openai-compatible
    base_url: "{base_url}"
    timeouts: {{first_byte: 0.3, between_bytes: 0.3, total: 0.6}}
models:
  - {{name: far, provider: far, context_length: 1000, prices: {{input: 1, output: 2}}}}
  - {{name: hasty, provider: hasty, context_length: 1000, prices: {{input: 1, output: 2}}}}
routes:
  - {{name: far-route, targets: [far], fallbacks: [hasty], retry: {{attempts: 1}}}}
  - {{name: hasty-route, targets: [hasty], fallbacks: [far], retry: {{attempts: 1}}}}
  - {{name: far-again, targets: [far], retry: {{attempts: 3, backoff_ms: 1}}}}
  - {{name: hasty-again, targets: [hasty], retry: {{attempts: 3, backoff_ms: 1}}}}
"""
CHAT = "/v1/chat/completions"
DELTA = msgspec.json.encode(
    {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "far",
        "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}],
    }
)
EVENT = b"data: " + DELTA + b"\n\n"
BODY: dict[str, dict[str, Any]] = {
    CHAT: {"messages": [{"role": "user", "content": "Hello"}]},
    "/v1/responses": {"input": "Hello", "store": False},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 10},
}


@dataclass(frozen=True)
class Fault:
    """``codes`` are those that the row may have; ``streams`` says whether it befalls streams only,
    or whole answers only."""

    name: str
    script: Script
    codes: frozenset[str]
    streams: bool | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def model(self) -> str:
        """Nothing but what is meant to shall last too long, however busy the machine is."""
        return "hasty" if "PROVIDER_TIMEOUT" in self.codes else "far"


def fault(name: str, *script: Any, codes: str, streams: bool | None = None) -> Fault:
    return Fault(name, script, frozenset(codes.split()), streams)


BROKEN = "PROVIDER_UNREACHABLE PROVIDER_ERROR"
FAULTS = [
    fault("hangs", Act.HANG, codes="PROVIDER_TIMEOUT"),
    fault("resets", Act.RESET, codes=BROKEN),
    fault("closes", Act.CLOSE, codes=BROKEN),
    fault(
        "is no http",
        b"220 mail.example.com ESMTP\r\n",
        codes=BROKEN,
    ),
    fault(
        "fails", json_answer(b'{"error": {"message": "no"}}', status=500), codes="PROVIDER_ERROR"
    ),
    fault(
        "refuses the credentials",
        json_answer(b'{"error": {"message": "no"}}', status=401),
        codes="PROVIDER_CREDENTIALS",
    ),
    fault(
        "is too busy",
        json_answer(b"{}", status=503),
        codes="PROVIDER_OVERLOADED",
    ),
    fault(
        "says an error with a 200",
        json_answer(b'{"error": {"message": "quota", "code": 500}}'),
        codes="PROVIDER_ERROR",
    ),
    fault(
        "sends a page",
        answer(b"<html>", content_type="text/html"),
        codes="PROVIDER_ERROR",
    ),
    fault(
        "sends half an answer",
        json_answer(b'{"choices": [')[:-2],
        Act.CLOSE,
        codes=BROKEN,
    ),
    fault(
        "sends an empty object",
        json_answer(b"{}"),
        codes="PROVIDER_ERROR",
        streams=False,
    ),
    fault(
        "floods",
        stream_head("application/json"),
        Act.FLOOD,
        codes="PROVIDER_TIMEOUT PROVIDER_ERROR",
    ),
    fault(
        "hangs in the stream",
        stream_head(),
        chunk(EVENT),
        Act.HANG,
        codes="PROVIDER_TIMEOUT",
        streams=True,
    ),
    fault(
        "resets in the stream", stream_head(), chunk(EVENT), Act.RESET, codes=BROKEN, streams=True
    ),
    fault(
        "sends half an event",
        stream_head(),
        chunk(EVENT),
        chunk(EVENT[:30]),
        LAST_CHUNK,
        codes="PROVIDER_ERROR",
        streams=True,
    ),
    fault(
        "ends without an end",
        stream_head(),
        chunk(EVENT),
        LAST_CHUNK,
        codes="PROVIDER_ERROR",
        streams=True,
    ),
    fault(
        "fails in the stream",
        stream_head(),
        chunk(EVENT),
        chunk(b'data: {"error": {"message": "out of memory"}}\n\n'),
        Act.HANG,
        codes="PROVIDER_ERROR",
        streams=True,
    ),
    fault(
        "sends an event without an end",
        stream_head(),
        Act.FLOOD,
        codes="PROVIDER_ERROR PROVIDER_TIMEOUT",
        streams=True,
    ),
    fault(
        "streams for ever",
        stream_head(),
        *[chunk(EVENT), Pause(0.1)] * 100,
        codes="PROVIDER_TIMEOUT",
        streams=True,
    ),
]


@dataclass(frozen=True)
class World:
    server: StoaServer
    upstream: Upstream
    client: httpx.AsyncClient
    key: str
    owner: dict[str, str]

    async def budget(self) -> dict[str, Any]:
        found = await self.client.get(f"/api/v1/keys/{self.key}/budget", headers=self.owner)
        budget: dict[str, Any] = found.raise_for_status().json()
        return budget


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A caller with limits and a hard budget, for whom an upstream is asked once for every call."""
    folder: Path = tmp_path_factory.mktemp("faults")
    async with running_upstream() as upstream:
        # What fails on purpose shall be asked again by the next test.
        settings = {"STOA_BREAKER_FAILURES": "0", "STOA_BREAKER_ERROR_PERCENT": "0"}
        async with (
            serving(folder, CONFIG.format(base_url=upstream.base_url), settings) as server,
            httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        ):
            owner = {"authorization": f"Bearer {server.key}"}
            made = await client.post(
                "/api/v1/keys",
                headers=owner,
                json={
                    "name": "caller",
                    # Of which nothing is set aside beforehand: it is too little for that.
                    "budget": {"amount": "0.008", "period": "month", "hard": True},
                    "limits": {"rpm": 10_000, "tpm": 10_000_000, "concurrency": 4},
                },
            )
            caller = made.raise_for_status().json()
            client.headers["authorization"] = f"Bearer {caller['key']}"
            yield World(server, upstream, client, caller["id"], owner)


@pytest.mark.parametrize("path", BODY)
@pytest.mark.parametrize(
    ("fault", "stream"),
    [
        pytest.param(one, stream, id=f"{one}-{'stream' if stream else 'whole'}")
        for one in FAULTS
        for stream in (False, True)
        if one.streams in {stream, None}
    ],
)
async def test_ends_in_an_error_a_row_and_a_released_hold(
    world: World, path: str, fault: Fault, stream: bool
) -> None:
    world.upstream.scripts.clear()
    world.upstream.default = fault.script
    before = await world.budget()
    asked = BODY[path] | {"model": _way(fault, path, stream=stream), "stream": stream}

    async with asyncio.timeout(PATIENCE_S):
        answered = await world.client.post(path, json=asked)

    row = await asyncio.to_thread(_row, world, answered.headers["x-request-id"])
    after = await world.budget()
    assert _tells_an_error(answered), answered.text
    assert row["status"] == "failed"
    assert row["error_code"] in fault.codes
    assert Decimal(after["held"]) == 0
    assert Decimal(after["settled"]) == Decimal(before["settled"]) + Decimal(row["cost"] or 0)


def _way(fault: Fault, path: str, *, stream: bool) -> str:
    """Streams go by a route with a fallback, whole answers by one that asks again at once; in one
    format they come from the model itself, which is asked again after longer and longer pauses."""
    if stream:
        return f"{fault.model}-route"
    return fault.model if path == CHAT else f"{fault.model}-again"


def _tells_an_error(answered: httpx.Response) -> bool:
    if answered.status_code != httpx.codes.OK:
        return answered.status_code >= 500 and "error" in answered.json()
    last = answered.text.rstrip().rsplit("\n\n", 1)[-1]
    return '"error"' in last or "response.failed" in last


def _row(world: World, request_id: str) -> dict[str, Any]:
    with httpx.Client(base_url=world.server.url, headers=world.owner) as http:
        return call_of(http, request_id)
