"""Two servers on one database: what goes wrong on either is on record, and so is what is done."""

import asyncio
import csv
import io
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

CHAT = "/v1/chat/completions"
ERRORS = "/api/v1/errors"
# A deployment that is left alone fails in another place, and so in another group.
PERSISTENT = {"STOA_BREAKER_FAILURES": "0", "STOA_BREAKER_ERROR_PERCENT": "0"}
PROMPT = "canary-prompt-about-initech"
CONFIG = """
providers:
  - {name: script, type: scripted}
models:
  - {name: broken, provider: script, options: {fail_status: 500}}
  - {name: other, provider: script, options: {fail_status: 500}}
"""


class Node(StoaServer):
    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=30)


@pytest.fixture(scope="module")
async def place(
    postgres_under_test: PostgresUnderTest,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Node, Node, str]]:
    """Two nodes that know the first key, and the URL of their database."""
    database = f"{postgres_under_test.prefix}_errors_{uuid4().hex[:8]}"
    url = await postgres_under_test.create(database, template=migrated_template)
    folder: Path = tmp_path_factory.mktemp("errors")
    config = folder / "models.yaml"
    config.write_text(CONFIG)
    one, two = (
        Node(
            data_dir=folder / name, config=config, settings={"STOA_DATABASE_URL": url, **PERSISTENT}
        )
        for name in ("one", "two")
    )
    with one, two:
        two.key = one.key
        yield one, two, url
    await postgres_under_test.drop(database)


def failing(client: httpx.Client, model: str = "broken") -> str:
    """The id of the answer of a call that fails."""
    body = {"model": model, "messages": [{"role": "user", "content": PROMPT}]}
    answer = client.post(CHAT, json=body)
    assert answer.status_code == 502
    request_id: str = answer.headers["x-request-id"]
    return request_id


def soon(look: Callable[[], httpx.Response], when: Callable[[Any], bool] = bool) -> Any:
    """What is found within a few seconds: errors are written in the background."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = look()
        if answer.status_code == httpx.codes.OK and when(answer.json()):
            return answer.json()
        time.sleep(0.05)
    raise AssertionError(answer.text)


def test_an_error_of_one_node_is_found_on_the_other_by_the_id_of_its_answer(
    place: tuple[Node, Node, str],
) -> None:
    one, two, _ = place
    with one.client() as here, two.client() as there:
        error_id = failing(here)

        found = soon(lambda: there.get(f"{ERRORS}/{error_id}"))

    occurrence = found["occurrences"][0]
    assert occurrence["id"] == error_id
    assert found["code"] == "PROVIDER_ERROR"
    assert (found["route"], occurrence["method"]) == (CHAT, "POST")
    assert None not in (occurrence["key_id"], occurrence["team_id"])
    assert "ScriptedProvider" in occurrence["stack"]
    assert PROMPT not in json.dumps(found)


async def test_fifty_at_once_on_each_of_two_nodes_are_counted_in_one_group(
    place: tuple[Node, Node, str],
) -> None:
    one, two, url = place
    body = {"model": "other", "messages": [{"role": "user", "content": PROMPT}], "stream": True}
    async with (
        httpx.AsyncClient(base_url=one.url, headers=one.headers, timeout=60) as here,
        httpx.AsyncClient(base_url=two.url, headers=two.headers, timeout=60) as there,
    ):
        answers = await asyncio.gather(
            *(client.post(CHAT, json=body) for client in (here, there) for _ in range(50))
        )

    ids = {answer.headers["x-request-id"] for answer in answers}
    with one.client() as client:
        group = soon(
            lambda: client.get(f"{ERRORS}/{min(ids)}"), when=lambda found: found["count"] == 100
        )
    connection = await asyncpg.connect(url)
    written = await connection.fetch("SELECT id::text FROM error_logs")
    told = await connection.fetch(
        "SELECT permission, data FROM events WHERE type = 'error.spiked'"
        " AND data->>'group_id' = $1",
        group["id"],
    )
    await connection.close()
    assert ids <= {row["id"] for row in written}
    assert group["state"] == "open"
    assert [row["permission"] for row in told] == ["errors.read"]
    assert json.loads(told[0]["data"])["code"] == "PROVIDER_ERROR"


def test_a_resolved_error_reopens_when_it_happens_again(place: tuple[Node, Node, str]) -> None:
    one, two, _ = place
    with one.client() as here, two.client() as there:
        error_id = failing(here)
        group = soon(lambda: here.get(f"{ERRORS}/{error_id}"))

        resolved = two.run("errors", "resolve", error_id, "--json")
        between = here.get(f"{ERRORS}/{group['id']}").json()
        failing(there)
        again = soon(
            lambda: here.get(f"{ERRORS}/{group['id']}"),
            when=lambda found: found["count"] > group["count"],
        )

    assert json.loads(resolved.stdout)["state"] == "resolved"
    assert (between["state"], again["state"]) == ("resolved", "open")
    assert again["resolved_at"] is None


async def test_trouble_of_the_database_is_found_by_the_id_of_the_problem(
    place: tuple[Node, Node, str],
) -> None:
    one, _, url = place
    connection = await asyncpg.connect(url)
    with one.client() as client:
        await connection.execute("ALTER TABLE audit_logs RENAME TO gone")
        answer = client.get("/api/v1/audit_logs", params={"target_id": "canary-of-a-filter"})
        await connection.execute("ALTER TABLE gone RENAME TO audit_logs")
        problem = answer.json()

        found = soon(lambda: client.get(f"{ERRORS}/{problem['id']}"))
    await connection.close()

    [occurrence] = found["occurrences"]
    assert (answer.status_code, problem["kind"]) == (500, "TECHNICAL")
    assert found["route"] == "/api/v1/audit_logs"
    assert occurrence["id"] == problem["id"]
    assert occurrence["correlation_id"] == problem["correlation_id"]
    assert "UndefinedTableError" in occurrence["stack"]
    assert "PostgresAuditReader.list" in occurrence["stack"]
    assert "canary" not in json.dumps(found)


def test_an_error_that_is_followed_by_a_stop_is_written_before(
    place: tuple[Node, Node, str],
) -> None:
    one, two, _ = place
    with two.client() as there:
        error_id = failing(there)
        two.stop()
    two.start()

    with one.client() as here:
        found = here.get(f"{ERRORS}/{error_id}").json()

    assert found["occurrences"][0]["id"] == error_id


def test_the_command_line_lists_shows_ignores_and_reopens(place: tuple[Node, Node, str]) -> None:
    one, _, _ = place
    with one.client() as client:
        error_id = failing(client)
        soon(lambda: client.get(f"{ERRORS}/{error_id}"))

    listed = json.loads(one.run("errors", "list", "--code", "PROVIDER_ERROR", "--json").stdout)
    shown = one.run("errors", "show", error_id)
    group_id = next(line.split()[-1] for line in shown.stdout.splitlines())
    changed = [one.run("errors", name, group_id).stdout for name in ("ignore", "reopen")]
    missing = one.run("errors", "show", str(uuid4()))

    assert group_id in {item["id"] for item in listed["items"]}
    assert error_id in shown.stdout
    assert "ScriptedProvider" in shown.stdout
    assert [text.strip().rpartition(" ")[2] for text in changed] == ["ignored.", "open."]
    assert (missing.returncode, missing.stderr.count("\n")) == (3, 1)


def test_what_was_done_is_listed_and_exported(
    place: tuple[Node, Node, str], tmp_path: Path
) -> None:
    one, two, _ = place
    with one.client() as client:
        made = client.post("/api/v1/keys", json={"name": "=audit"}).json()
        streamed = client.get("/api/v1/audit_logs/export", params={"target_id": made["id"]})
    chosen = ("--target", made["id"])
    listed = json.loads(two.run("audit", "list", *chosen, "--json").stdout)
    table = two.run("audit", "list", "--action", "key.*").stdout
    lines = two.run("audit", "export", "--format", "jsonl", *chosen).stdout
    file = tmp_path / "audit.csv"
    written = two.run("audit", "export", "--output", str(file), *chosen)
    refused = two.run("audit", "list", "--action", "*")

    [row] = csv.DictReader(io.StringIO(streamed.text, newline=""))
    assert [item["id"] for item in listed["items"]] == [row["id"]]
    assert [json.loads(line) for line in lines.splitlines()] == listed["items"]
    assert file.read_bytes() == streamed.content
    assert (written.returncode, written.stdout) == (0, "")
    assert made["id"] in table
    assert made["key"] not in streamed.text + lines
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


async def test_nothing_on_record_shows_a_prompt_or_a_key(place: tuple[Node, Node, str]) -> None:
    one, _, url = place
    with one.client() as client:
        error_id = failing(client)
        soon(lambda: client.get(f"{ERRORS}/{error_id}"))
    connection = await asyncpg.connect(url)

    texts = [
        row[0]
        for table in ("error_groups", "error_logs", "audit_logs", "events")
        for row in await connection.fetch(f"SELECT t::text FROM {table} AS t")  # noqa: S608
    ]
    await connection.close()

    assert len(texts) > 3
    assert [text for text in texts if PROMPT in text or one.key in text] == []
