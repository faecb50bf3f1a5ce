"""What a server and its commands write at debug level holds no secret, no prompt and no answer,
even when a provider repeats all of them in its errors."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.upstream import Upstream, json_answer, stream_head
from tests.fixtures.server import StoaServer

PROVIDER_KEY = "canary-key-of-the-provider"
PROVIDER_HEADER = "canary-header-of-the-provider"
PROMPT = "canary of a prompt"
ANSWER = "canary of an answer"
WRONG_KEY = "sk-stoa-canary0123456789"
SAID = json.dumps(
    {"error": {"message": f"'{PROMPT}' with {PROVIDER_KEY} and {PROVIDER_HEADER}", "type": ANSWER}}
).encode()
CONFIG = """
providers:
  - name: far
    type: openai-compatible
    base_url: "{base_url}"
    api_key: ${{CANARY_KEY}}
    headers:
      x-own: ${{CANARY_HEADER}}
models:
  - {{name: m, provider: far}}
"""
CHATS = [
    json_answer(json.dumps({"choices": [{"message": {"content": ANSWER}}]}).encode()),
    *(json_answer(SAID, status=status) for status in (400, 401, 404, 422, 429, 500, 503)),
    json_answer(f"<html>{ANSWER} {PROVIDER_KEY}".encode()),
]


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def server(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StoaServer]:
    folder = tmp_path_factory.mktemp("leaks")
    config = folder / "stoa.yaml"
    config.write_text(CONFIG.format(base_url=upstream.base_url))
    running = StoaServer(
        data_dir=folder / "data",
        config=config,
        settings={
            "STOA_LOG_LEVEL": "debug",
            "STOA_LOG_FILE": str(folder / "stoa.log"),
            "CANARY_KEY": PROVIDER_KEY,
            "CANARY_HEADER": PROVIDER_HEADER,
        },
        makes_cluster=True,
    )
    await asyncio.to_thread(running.start)
    yield running
    await asyncio.to_thread(running.stop)


def log_of(server: StoaServer) -> str:
    return Path(server.settings["STOA_LOG_FILE"]).read_text()


async def test_a_server_writes_no_secret_no_prompt_and_no_answer(
    server: StoaServer, upstream: Upstream
) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]}
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        own = {"authorization": f"Bearer {server.key}"}
        for script in CHATS:
            upstream.play(script)
            await client.post("/v1/chat/completions", json=body, headers=own)
        upstream.play(stream_head(), f"data: {SAID.decode()}\n\n".encode())
        await client.post("/v1/chat/completions", json=body | {"stream": True}, headers=own)
        malformed = json.dumps(body).encode()[:-1]
        await client.post("/v1/chat/completions", content=malformed, headers=own)
        await client.post("/v1/chat/completions", json=body | {"messages": PROMPT}, headers=own)
        for header in (f"Bearer {WRONG_KEY}", f"Basic {WRONG_KEY}", WRONG_KEY):
            for path in ("/v1/chat/completions", "/api/v1/keys"):
                await client.post(path, json=body, headers={"authorization": header})
        made = (await client.post("/api/v1/keys", json={"name": "new"}, headers=own)).json()["key"]
        metrics = (await client.get("/metrics")).text
        document = (await client.get("/api/v1/openapi.json")).text

    logged = log_of(server)
    shown_once = server.output.replace(server.key, "", 2)
    for written in (logged, shown_once, metrics, document):
        assert "canary" not in written
        assert server.key not in written
        assert made not in written
    assert upstream.requests[0].headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert logged.count("request.failed") >= 5


async def test_a_command_writes_no_secret_and_no_prompt_of_its_own(
    server: StoaServer, upstream: Upstream
) -> None:
    upstream.play(json_answer(SAID, status=500))
    asked = await asyncio.to_thread(server.run, "--debug", "chat", "m", PROMPT, "--no-stream")
    made = await asyncio.to_thread(server.run, "--debug", "keys", "create", "other")

    assert asked.returncode == 69
    assert "canary" not in asked.stdout + asked.stderr
    assert made.stdout.startswith("sk-stoa-")
    assert made.stdout.strip() not in made.stderr


async def test_a_caller_never_sees_the_credentials_of_a_provider(
    server: StoaServer, upstream: Upstream
) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        for script in CHATS:
            upstream.play(script)
            answer = await client.post(
                "/v1/chat/completions",
                json={"model": "m", "messages": [{"role": "user", "content": PROMPT}]},
                headers={"authorization": f"Bearer {server.key}"},
            )

            assert PROVIDER_KEY not in answer.text
            assert PROVIDER_HEADER not in answer.text
