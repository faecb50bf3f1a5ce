"""What is left after a server was killed or asked to stop in the middle of its work."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.upstream import Act, Pause, Upstream, json_answer
from tests.fixtures.patience import PATIENCE_S, until
from tests.fixtures.server import StoaServer

CALLS = 10

ANSWER = (
    b'{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)

CONFIG = """
providers:
  - {{name: far, type: openai-compatible, base_url: "{base_url}"}}
models:
  - {{name: m, provider: far, prices: {{input: 1, output: 2}}}}
"""


async def _call(client: httpx.AsyncClient, number: int) -> httpx.Response | None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    try:
        return await client.post(
            "/v1/chat/completions", json=body, headers={"X-Correlation-ID": f"call-{number}"}
        )
    except httpx.TransportError:
        return None


def _client(server: StoaServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=server.url,
        headers={"authorization": f"Bearer {server.key}"},
        timeout=PATIENCE_S,
        limits=httpx.Limits(max_connections=CALLS),
    )


async def _rows(server: StoaServer) -> list[dict[str, Any]]:
    async with _client(server) as client:
        answer = await client.get("/api/v1/calls", params={"limit": 200})
        rows: list[dict[str, Any]] = answer.json()["items"]
        return rows


async def _settled_rows(server: StoaServer) -> list[dict[str, Any]]:
    """The outcome of a call is written a moment after its answer."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            rows = await _rows(server)
            if all(row["status"] != "open" for row in rows):
                return rows
            await asyncio.sleep(0.05)


@pytest.fixture
async def upstream() -> Any:
    server = Upstream()
    await server.start()
    yield server
    await server.stop()


def _server(tmp_path: Path, upstream: Upstream) -> StoaServer:
    config = tmp_path / "stoa.yaml"
    config.write_text(CONFIG.format(base_url=upstream.base_url))
    return StoaServer(data_dir=tmp_path / "data", config=config)


async def test_a_server_that_is_asked_to_stop_finishes_its_calls(
    tmp_path: Path, upstream: Upstream
) -> None:
    upstream.default = [Pause(1.0), json_answer(ANSWER)]
    server = _server(tmp_path, upstream)
    await asyncio.to_thread(server.start)

    async with _client(server) as client:
        calls = [asyncio.create_task(_call(client, n)) for n in range(10)]
        await until(lambda: len(upstream.requests) == 10)
        code = await asyncio.to_thread(server.stop)
        answers = await asyncio.gather(*calls)
    await asyncio.to_thread(server.start)
    rows = await _rows(server)
    await asyncio.to_thread(server.stop)

    assert code == 0
    assert [a.status_code for a in answers if a is not None] == [200] * 10
    assert [row["status"] for row in rows] == ["succeeded"] * 10
    assert {row["cost"] for row in rows} == {"0.000003"}


async def test_calls_that_outlast_the_grace_are_cut_and_recorded(
    tmp_path: Path, upstream: Upstream
) -> None:
    upstream.default = [Act.HANG]
    server = _server(tmp_path, upstream)
    server.settings = {"STOA_SHUTDOWN_GRACE_SECONDS": "1"}
    await asyncio.to_thread(server.start)

    async with _client(server) as client:
        call = asyncio.create_task(_call(client, 0))
        await until(lambda: len(upstream.requests) == 1)
        code = await asyncio.to_thread(server.stop)
        await call
    await asyncio.to_thread(server.start)
    rows = await _rows(server)
    await asyncio.to_thread(server.stop)

    assert code == 0
    assert [row["status"] for row in rows] == ["cancelled"]


async def test_a_start_that_was_killed_is_begun_anew_at_once(
    tmp_path: Path, upstream: Upstream
) -> None:
    server = _server(tmp_path, upstream)
    server.makes_cluster = True
    await asyncio.to_thread(server.spawn)
    # It may be made before we look, where this process stands still.
    await until(
        lambda: (
            any(server.data_dir.glob("postgres.new*/global"))
            or (server.data_dir / "postgres").exists()
        )
    )

    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    code = await asyncio.to_thread(server.stop)

    assert server.key
    assert code == 0


async def test_a_database_that_dies_is_brought_back_and_costs_no_call(
    tmp_path: Path, upstream: Upstream
) -> None:
    upstream.default = [Pause(0.5), json_answer(ANSWER)]
    server = _server(tmp_path, upstream)
    await asyncio.to_thread(server.start)
    cluster = server.data_dir / "postgres"
    control = cluster / "global" / "pg_control"

    async with _client(server) as client:
        calls = [asyncio.create_task(_call(client, n)) for n in range(5)]
        await until(lambda: len(upstream.requests) == 5)
        # Without this file it cannot come back before we have looked.
        control.rename(control.with_name("hidden"))
        os.kill(int((cluster / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        unready = await _until_readiness(client, httpx.codes.SERVICE_UNAVAILABLE)
        calls += [asyncio.create_task(_call(client, n)) for n in range(5, 10)]
        await asyncio.sleep(0.2)
        control.with_name("hidden").rename(control)
        answers = await asyncio.gather(*calls)
        await _until_readiness(client, httpx.codes.OK)
    rows = await _settled_rows(server)
    code = await asyncio.to_thread(server.stop)

    assert unready.json()["reason"] == "database: The database cannot be reached."
    assert [a.status_code for a in answers if a is not None] == [200] * 10
    assert sorted(row["correlation_id"] for row in rows) == [f"call-{n}" for n in range(10)]
    assert {row["status"] for row in rows} == {"succeeded"}
    assert code == 0
    assert "postgres.restarted" in server.output


async def _until_readiness(client: httpx.AsyncClient, status: int) -> httpx.Response:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.get("/readyz")
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.05)
