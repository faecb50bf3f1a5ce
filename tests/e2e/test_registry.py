"""The registry of a team on a running server, over the API and at the terminal: it works, and what
is secret in it never shows."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.e2e.conftest import SCRIPTED
from tests.fakes.openai_server import FakeOpenAIServer, running_openai_server
from tests.fixtures.patience import PATIENCE_S, wait_until
from tests.fixtures.server import StoaServer

KEY = "canary-of-the-real-provider-0123"
HEADER = "canary-of-a-header-0123"
PROMPT = {"messages": [{"role": "user", "content": "Hi"}]}
FILE = """
providers:
  - name: filed
    type: openai-compatible
    base_url: {url}
    api_key: ${{CANARY_KEY}}
    headers: {{x-own: "${{CANARY_HEADER}}"}}
models:
  - {{name: talk, provider: filed, upstream_name: talker, aliases: [t], context_length: 1000,
     prices: {{input: 0.25, output: "2"}}}}
  - {{name: other, provider: filed, upstream_name: talker, enabled: false}}
routes:
  - name: way
    targets: [talk, {{model: other, weight: 2}}]
    fallbacks: [parrot]
    retry: {{attempts: 2}}
"""


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[FakeOpenAIServer]:
    async with running_openai_server(key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoaServer]:
    folder = tmp_path_factory.mktemp("registry")
    settings = {
        "STOA_LOG_LEVEL": "debug",
        "STOA_LOG_FILE": str(folder / "stoa.log"),
        "CANARY_KEY": KEY,
        "CANARY_HEADER": HEADER,
    }
    with StoaServer(data_dir=folder / "data", config=SCRIPTED, settings=settings) as running:
        yield running


@pytest.fixture
async def api(server: StoaServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


async def made(api: httpx.AsyncClient, what: str, **body: Any) -> Any:
    answer = await api.post(f"/api/v1/{what}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def a_provider(api: httpx.AsyncClient, upstream: FakeOpenAIServer, name: str) -> Any:
    return await made(
        api,
        "providers",
        name=name,
        type="openai-compatible",
        configuration={"base_url": f"{upstream.url}/v1"},
        credentials={"api_key": KEY, "headers": {"x-own": HEADER}},
    )


async def chat(api: httpx.AsyncClient, model: str, **more: Any) -> httpx.Response:
    return await api.post("/v1/chat/completions", json=PROMPT | {"model": model} | more)


async def test_a_model_is_set_up_called_switched_off_and_archived(
    api: httpx.AsyncClient, upstream: FakeOpenAIServer
) -> None:
    provider = await a_provider(api, upstream, "far")
    model = await made(
        api, "models", name="mine", provider="far", upstream_name="talker", aliases=["my"]
    )
    url = f"/api/v1/models/{model['id']}"
    tested = (await api.post(f"/api/v1/providers/{provider['id']}/test-connection")).json()
    called = await chat(api, "my")
    streamed = await chat(api, "mine", stream=True)
    listed = [one["id"] for one in (await api.get("/v1/models")).json()["data"]]
    await api.patch(url, json={"state": "disabled"})
    refused = await chat(api, "mine")
    removed = await api.delete(url)
    archived = await api.post(f"{url}/archive")
    kept = await api.get(f"/api/v1/calls/{called.headers['x-request-id']}")

    assert tested["reachable"] is True
    assert tested["models"] > 0
    assert called.json()["choices"][0]["message"]["content"] == "Hello."
    assert streamed.text.endswith("data: [DONE]\n\n")
    assert "mine" in listed
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_disabled")
    assert (removed.status_code, removed.json()["code"]) == (409, "MODEL_IN_USE")
    assert archived.json()["state"] == "archived"
    assert kept.json()["provider"] == "far"


async def test_a_changed_provider_is_used_at_once(
    api: httpx.AsyncClient, upstream: FakeOpenAIServer
) -> None:
    provider = await a_provider(api, upstream, "turning")
    await made(api, "models", name="turning", provider="turning", upstream_name="talker")
    url = f"/api/v1/providers/{provider['id']}"

    await api.patch(url, json={"credentials": {"api_key": "wrong-key-wrong-key"}})
    refused = await chat(api, "turning")
    tested = (await api.post(f"{url}/test-connection")).json()
    await api.patch(url, json={"credentials": {"api_key": KEY}})
    again = await chat(api, "turning")

    assert refused.status_code == 502
    assert tested["problem"]["code"] == "PROVIDER_CREDENTIALS"
    assert again.status_code == 200


async def test_a_provider_that_cannot_be_built_is_told_and_on_record(
    api: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "nothing.pem").write_text("No certificate.")
    configuration = {"base_url": "https://a.example", "ca_file": str(tmp_path / "nothing.pem")}
    provider = await made(
        api, "providers", name="unbuilt", type="openai-compatible", configuration=configuration
    )
    model = await made(api, "models", name="nowhere", provider="unbuilt")

    shown = (await api.get(f"/api/v1/providers/{provider['id']}")).json()
    called = await chat(api, "nowhere")
    alive = await chat(api, "parrot")

    assert "nothing" in shown["problem"]
    assert called.status_code == 502
    assert "cannot be used" in called.json()["error"]["message"]
    assert alive.status_code == 200
    async with asyncio.timeout(PATIENCE_S):
        while not any(
            "provider" in (one.get("route") or "")
            for one in (await api.get("/api/v1/errors")).json()["items"]
        ):
            await asyncio.sleep(0.1)
    await api.post(f"/api/v1/models/{model['id']}/archive")


async def test_clients_of_both_makers_list_models(
    api: httpx.AsyncClient, server: StoaServer
) -> None:
    headers = {"x-api-key": server.key, "anthropic-version": "2023-06-01"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        theirs = (await client.get("/v1/models")).json()
        one = (await client.get("/v1/models/parrot")).json()
    ours = (await api.get("/v1/models")).json()

    assert theirs["has_more"] is False
    assert theirs["first_id"] == theirs["data"][0]["id"]
    assert one["type"] == "model"
    assert {model["object"] for model in ours["data"]} == {"model"}


async def test_a_file_becomes_true(server: StoaServer, upstream: FakeOpenAIServer) -> None:
    # In a thread, because the upstream answers in this one.
    await asyncio.to_thread(_make_a_file_true, server, upstream)


def _make_a_file_true(server: StoaServer, upstream: FakeOpenAIServer) -> None:
    file = server.data_dir / "team.yaml"
    file.write_text(FILE.format(url=f"{upstream.url}/v1"))

    def apply(*options: str) -> "subprocess.CompletedProcess[str]":
        done = server.run("config", "apply", str(file), *options)
        assert done.returncode == 0, done.stderr
        return done

    tried = apply("--dry-run")
    first = apply()
    again = apply()
    exported = server.run("config", "export")
    file.write_text(
        FILE.format(url=f"{upstream.url}/v1").replace("1000", "2000").replace("0.25", "0.5")
    )
    changed = apply()
    file.write_text(exported.stdout)
    lacking = server.run("config", "check", "--team-file", str(file))

    created = ["+ provider filed", "+ model talk", "+ model other", "+ route way"]
    assert tried.stdout.splitlines() == [*created, "Nothing was changed (--dry-run)."]
    assert first.stdout.splitlines() == created
    assert again.stdout == "Nothing to do.\n"
    assert changed.stdout.splitlines() == [
        "~ model talk",
        "    context_length: 1000 -> 2000",
        "~ model talk",
        '    prices: {"input": "0.25", "output": "2"} -> {"input": "0.5", "output": "2"}',
    ]
    assert "input: '0.25'" in exported.stdout
    assert "api_key: ${FILED_API_KEY}" in exported.stdout
    assert "x-own: ${FILED_HEADERS_X_OWN}" in exported.stdout
    assert "name: way" in exported.stdout
    assert lacking.returncode == 2
    assert "the variable FILED_API_KEY is not set" in lacking.stderr
    assert KEY not in tried.stdout + first.stdout + exported.stdout + lacking.stderr
    called = httpx.post(
        f"{server.url}/v1/chat/completions",
        json=PROMPT | {"model": "way"},
        headers={"authorization": f"Bearer {server.key}"},
        timeout=30,
    )
    assert called.json()["choices"][0]["message"]["content"] == "Hello."
    assert called.headers.get("x-stoa-model", "talk") in {"talk", "way"}
    _prune(server, file, upstream)


def _prune(server: StoaServer, file: Path, upstream: FakeOpenAIServer) -> None:
    """What was called is archived, the rest goes."""
    provider = FILE.format(url=f"{upstream.url}/v1").partition("models:")[0]
    file.write_text(f"{provider}models: []\n")
    only = json.loads(server.run("config", "apply", str(file), "--prune", "--json").stdout)["items"]

    deeds = {(one["what"], one["name"]): one["deed"] for one in only}
    assert deeds["route", "way"] == "removed"
    assert deeds["model", "talk"] == "archived"
    assert deeds["model", "other"] == "removed"
    assert ("provider", "filed") not in deeds


def test_what_is_wrong_with_a_file_is_told_with_its_line(server: StoaServer) -> None:
    file = server.data_dir / "wrong.yaml"
    file.write_text("providers:\n  - {name: a, type: scripted, speed: 1}\nmodels: []\nroute: []\n")

    applied = server.run("config", "apply", str(file))
    checked = server.run("config", "check", str(file))

    for done in (applied, checked):
        assert done.returncode == 2
        assert "line 2: provider 'a': 'speed'" in done.stderr
        assert "line 4: the file: 'route'" in done.stderr


async def test_the_registry_is_managed_at_the_terminal(
    server: StoaServer, upstream: FakeOpenAIServer
) -> None:
    await asyncio.to_thread(_manage_at_the_terminal, server, upstream)


def _manage_at_the_terminal(server: StoaServer, upstream: FakeOpenAIServer) -> None:
    address = f"base_url={upstream.url}/v1"
    added = server.run(
        *("providers", "add", "typed", "--type", "openai-compatible"),
        *("--set", address, "--secret", "api_key=CANARY_KEY", "--json"),
    )
    visible = server.run("providers", "set", "typed", "--set", f"api_key={KEY}")
    tested = server.run("providers", "test", "typed")
    offers = json.loads(server.run("providers", "offers", "typed", "--json").stdout)["items"]
    model = server.run("models", "add", "said", "--provider", "typed", "--upstream", "talker")
    switched = server.run("models", "set", "said", "--disable", "--rpm", "5", "--json")
    route = server.run("routes", "add", "ways", "--target", "said:3", "--target", "parrot:1:1")
    changed = server.run("routes", "set", "ways", "--strategy", "weighted", "--json")
    named = server.run("models", "remove", "said")
    gone = [
        server.run("routes", "remove", "ways"),
        server.run("models", "remove", "said"),
        server.run("providers", "remove", "typed"),
    ]
    missing = server.run("providers", "show", "typed")

    assert json.loads(added.stdout)["credentials"] == {"api_key": "[MASKED]"}
    assert visible.returncode == 2
    assert tested.stdout.startswith("Reached in ")
    assert "talker" in [offer["name"] for offer in offers]
    assert model.returncode == 0
    assert json.loads(switched.stdout)["state"] == "disabled"
    assert json.loads(switched.stdout)["limits"]["rpm"] == 5
    assert route.returncode == 0, route.stderr
    assert [one["weight"] for one in json.loads(changed.stdout)["targets"]] == [3, 1]
    assert named.returncode == 5
    assert [done.returncode for done in gone] == [0, 0, 0]
    assert missing.returncode == 3


def test_clients_are_told_what_they_need(server: StoaServer) -> None:
    told = server.run("config", "export", "--for", "aider", "--url", "https://ai.example.org/")

    assert "OPENAI_API_BASE=https://ai.example.org/v1" in told.stdout
    assert "--model openai/" in told.stdout


def test_a_change_at_the_terminal_reaches_the_server(server: StoaServer) -> None:
    headers = {"authorization": f"Bearer {server.key}"}
    assert server.run("providers", "add", "quick", "--type", "scripted").returncode == 0
    assert server.run("models", "add", "quick", "--provider", "quick").returncode == 0

    wait_until(
        lambda: httpx.get(f"{server.url}/v1/models/quick", headers=headers).status_code == 200
    )


async def test_no_secret_is_anywhere_but_sealed(server: StoaServer, api: httpx.AsyncClient) -> None:
    shown = [
        (await api.get(path)).text
        for path in (
            "/api/v1/providers?page_size=100",
            "/api/v1/audit_logs?limit=200",
            "/api/v1/errors",
            "/metrics",
            "/api/v1/models?page_size=100",
        )
    ]
    shown += [server.output, _log_of(server)]

    assert [text for text in shown if KEY in text or HEADER in text] == []
    assert await _tables_with(server, KEY) == []


def _log_of(server: StoaServer) -> str:
    return Path(server.settings["STOA_LOG_FILE"]).read_text()


async def _tables_with(server: StoaServer, secret: str) -> list[str]:
    url = (server.data_dir / "postgres").resolve()
    connection = await asyncpg.connect(host=str(url), user="stoa", database="stoa")
    try:
        names = [
            row[0]
            for row in await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
        ]
        found = []
        for name in names:
            rows = await connection.fetch(f"SELECT t::text FROM {name} t")  # noqa: S608
            found += [name for row in rows if secret in row[0]]
        return found
    finally:
        await connection.close()
