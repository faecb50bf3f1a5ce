"""What can be changed while two servers run on one database, and that both obey."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from adapters.encryption.aes_gcm import AesGcmSecretBox
from application.operations.ports import Sealed
from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.ledger import call_of
from tests.fixtures.patience import wait_until
from tests.fixtures.server import StoaServer

SETTINGS = "/api/v1/settings"
CHAT = "/v1/chat/completions"
HELLO: dict[str, Any] = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}
A_TOOL = {"tools": [{"type": "function", "function": {"name": "f"}}]}
CONFIG = """
providers:
  - {name: script, type: scripted}
models:
  - {name: echo, provider: script}
  - {name: other, provider: script}
"""


class Nodes:
    def __init__(self, one: StoaServer, two: StoaServer, url: str) -> None:
        self.one, self.two, self.url = one, two, url

    @property
    def here(self) -> httpx.Client:
        """Where settings are changed."""
        return self._client(self.one)

    @property
    def there(self) -> httpx.Client:
        return self._client(self.two)

    def change(self, **values: object) -> None:
        with self.here as client:
            client.patch(SETTINGS, json=values).raise_for_status()

    def _client(self, server: StoaServer) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.one.key}"}
        return httpx.Client(base_url=server.url, headers=headers)


@pytest.fixture(scope="module")
async def nodes(
    postgres_under_test: PostgresUnderTest,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Nodes]:
    database = f"{postgres_under_test.prefix}_settings_{uuid4().hex[:8]}"
    url = await postgres_under_test.create(database, template=migrated_template)
    folder: Path = tmp_path_factory.mktemp("settings")
    config = folder / "stoa.yaml"
    config.write_text(CONFIG)
    settings = {
        "STOA_DATABASE_URL": url,
        "STOA_SECRET_KEY": "0123456789abcdef" * 4,
        "STOA_RETENTION_EVENTS_DAYS": "12",
    }
    one, two = (
        StoaServer(data_dir=folder / name, config=config, settings=settings)
        for name in ("one", "two")
    )
    with one, two:
        yield Nodes(one, two, url)
    await postgres_under_test.drop(database)


@pytest.mark.parametrize(
    ("setting", "wish", "code"),
    [
        ("enable_tools", A_TOOL, "TOOLS_DISABLED"),
        ("enable_tools", {"functions": [{"name": "f"}]}, "TOOLS_DISABLED"),
        ("enable_retrieval", {"web_search_options": {}}, "RETRIEVAL_DISABLED"),
    ],
)
def test_a_switch_that_is_turned_off_here_is_off_there(
    nodes: Nodes, setting: str, wish: dict[str, Any], code: str
) -> None:
    with nodes.there as client:
        before = client.post(CHAT, json=HELLO | wish)
        nodes.change(**{setting: False})
        wait_until(lambda: client.post(CHAT, json=HELLO | wish).status_code != 200)
        refused = client.post(CHAT, json=HELLO | wish)
        plain = client.post(CHAT, json=HELLO)
        nodes.change(**{setting: None})
        wait_until(lambda: client.post(CHAT, json=HELLO | wish).status_code == 200)
        row = call_of(client, refused.headers["x-request-id"])

    assert (before.status_code, plain.status_code) == (200, 200)
    assert refused.status_code == 403
    assert refused.json()["error"]["type"] == "permission_error"
    assert setting in refused.json()["error"]["message"]
    assert (row["status"], row["error_code"]) == ("refused", code)


def test_the_default_model_is_the_teams_choice(nodes: Nodes) -> None:
    asked = HELLO | {"model": "default"}
    with nodes.there as client:

        def answers() -> str:
            answer = client.post(CHAT, json=asked)
            deployment: str = call_of(client, answer.headers["x-request-id"])["deployment"]
            return deployment

        before = answers()
        nodes.change(default_chat_model="other")
        wait_until(lambda: answers() == "script/other")
        nodes.change(default_chat_model=None)

    assert before == "script/echo"


@pytest.mark.parametrize("by", ["settings", "team"])
def test_contents_are_captured_as_the_one_setting_says(nodes: Nodes, by: str) -> None:
    with nodes.here as here, nodes.there as there:

        def content() -> Any:
            answer = there.post(CHAT, json=HELLO)
            return call_of(here, answer.headers["x-request-id"])["content"]

        for wanted in (True, False):
            if by == "settings":
                nodes.change(content_capture=wanted)
            else:
                here.patch("/api/v1/team", json={"capture_content": wanted}).raise_for_status()

            wait_until(lambda: "hello" in str(content()) if wanted else content() is None)  # noqa: B023
            wait_until(
                lambda: there.get(f"{SETTINGS}/content_capture").json()["value"] is wanted  # noqa: B023
            )
            assert here.get("/api/v1/team").json()["capture_content"] is wanted


async def test_without_caches_a_key_is_looked_up_at_every_call(nodes: Nodes) -> None:
    connection = await asyncpg.connect(nodes.url)
    with nodes.here as owner, nodes.there as client:
        made = owner.post("/api/v1/keys", json={"name": "uncached"}).raise_for_status().json()
        bearer = {"authorization": f"Bearer {made['key']}"}
        _wait_for_news_of_keys(owner, client)
        before = client.post(CHAT, json=HELLO, headers=bearer).status_code
        # No node hears of this.
        await connection.execute("UPDATE api_keys SET revoked_at = now() WHERE name = 'uncached'")
        remembered = client.post(CHAT, json=HELLO, headers=bearer).status_code
        nodes.change(cache_disable_all=True)
        wait_until(lambda: client.post(CHAT, json=HELLO, headers=bearer).status_code == 401)
    nodes.change(cache_disable_all=None)
    await connection.close()

    assert (before, remembered) == (200, 200)


def _wait_for_news_of_keys(here: httpx.Client, there: httpx.Client) -> None:
    """What a node is told of keys comes in order: it knows all before that has heard of another."""
    later = here.post("/api/v1/keys", json={"name": "later"}).raise_for_status().json()
    bearer = {"authorization": f"Bearer {later['key']}"}
    assert there.post(CHAT, json=HELLO, headers=bearer).status_code == 200
    here.delete(f"/api/v1/keys/{later['id']}").raise_for_status()
    wait_until(lambda: there.post(CHAT, json=HELLO, headers=bearer).status_code == 401)


def test_the_environment_lies_beneath_what_is_stored(nodes: Nodes) -> None:
    path = f"{SETTINGS}/retention_events_days"
    with nodes.there as client:
        beneath = client.get(path).json()
        nodes.change(retention_events_days=3)
        stored = client.get(path).json()
        client.delete(path).raise_for_status()
        after = client.get(path).json()

    assert [(one["value"], one["source"]) for one in (beneath, stored, after)] == [
        (12, "environment"),
        (3, "database"),
        (12, "environment"),
    ]


def test_the_terminal_changes_what_the_servers_obey(nodes: Nodes) -> None:
    changed = nodes.one.run("settings", "set", "enable_tools", "off", "--json")
    with nodes.there as client:
        wait_until(lambda: client.post(CHAT, json=HELLO | A_TOOL).status_code == 403)
    shown = nodes.one.run("settings", "get", "enable_tools")
    listed = nodes.one.run("settings", "list", "--json")
    reset = nodes.one.run("settings", "reset", "enable_tools", "--json")

    assert json.loads(changed.stdout)["value"] is False
    assert "source           database" in shown.stdout
    assert len(json.loads(listed.stdout)["groups"]) > 3
    assert (json.loads(reset.stdout)["value"], json.loads(reset.stdout)["source"]) == (
        True,
        "default",
    )


def test_the_terminal_takes_a_value_from_standard_input(nodes: Nodes) -> None:
    given = nodes.one.run("settings", "set", "retention_calls_days", "--json", piped="400\n")
    nodes.change(retention_calls_days=None)

    assert given.returncode == 0, given.stderr
    assert json.loads(given.stdout)["value"] == 400


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set", "enable_tools", "maybe"), 2, "must be true or false"),
        (("set", "enable_nothing", "x"), 3, "no runtime setting"),
        (("get", "enable_nothing"), 3, "no runtime setting"),
        (("reset", "enable_nothing"), 3, "no runtime setting"),
    ],
)
def test_the_terminal_says_what_is_wrong(
    nodes: Nodes, arguments: tuple[str, ...], code: int, words: str
) -> None:
    run = nodes.one.run("settings", *arguments)

    assert run.returncode == code, run
    assert words in run.stderr


async def test_secrets_are_encrypted_anew_with_a_new_key(nodes: Nodes) -> None:
    old, new = (key * 4 for key in ("0123456789abcdef", "fedcba9876543210"))
    connection = await asyncpg.connect(nodes.url)
    team_id = await connection.fetchval("SELECT id FROM teams")
    place = f"setting {team_id} enable_tools"
    sealed = AesGcmSecretBox(old).seal("true", place=place)
    await connection.execute(
        "INSERT INTO team_settings (team_id, name, sealed) VALUES ($1, 'enable_tools', $2)",
        team_id,
        sealed.ciphertext,
    )
    rotated = {"STOA_SECRET_KEY": new, "STOA_SECRET_KEY_PREVIOUS": old}
    renewed = StoaServer(
        data_dir=nodes.one.data_dir, settings={"STOA_DATABASE_URL": nodes.url} | rotated
    )
    lost = StoaServer(
        data_dir=nodes.one.data_dir,
        settings={"STOA_DATABASE_URL": nodes.url, "STOA_SECRET_KEY": new},
    )

    without_the_old = lost.run("settings", "reencrypt")
    runs = [renewed.run("settings", "reencrypt", "--json") for _ in range(2)]
    stored = await connection.fetchval("SELECT sealed FROM team_settings WHERE sealed IS NOT NULL")
    await connection.execute("DELETE FROM team_settings")
    await connection.close()

    assert without_the_old.returncode != 0
    assert "STOA_SECRET_KEY" in without_the_old.stderr
    assert [json.loads(run.stdout)["reencrypted"] for run in runs] == [1, 0]
    assert AesGcmSecretBox(new).open(Sealed(stored), place=place) == "true"


def test_a_wrong_variable_stops_the_start(tmp_path: Path) -> None:
    server = StoaServer(data_dir=tmp_path, settings={"STOA_RETENTION_EVENTS_DAYS": "ages"})

    run = server.run("settings", "show")

    assert run.returncode != 0
    assert "STOA_RETENTION_EVENTS_DAYS: expected a whole number from 0 to 36500" in run.stderr


async def test_old_records_go_when_somebody_says_so(nodes: Nodes) -> None:
    connection = await asyncpg.connect(nodes.url)
    await connection.execute("CREATE TABLE events_2001_03 (LIKE events INCLUDING ALL)")
    await connection.execute(
        "ALTER TABLE events ATTACH PARTITION events_2001_03 FOR VALUES FROM"
        " ('00e4f8f0-0000-0000-0000-000000000000') TO ('00e5f8f0-0000-0000-0000-000000000000')"
    )
    await connection.execute(
        "INSERT INTO events (team_id, id, at, type, data)"
        " SELECT id, '00e4f8f0-0000-7000-8000-000000000001', now(), 'a.b', '{}' FROM teams"
    )

    counted = nodes.one.run("maintenance", "retention", "--dry-run", "--json")
    removed = nodes.one.run("maintenance", "retention", "--json")
    again = nodes.one.run("maintenance", "retention", "--json")
    left = await connection.fetchval("SELECT to_regclass('events_2001_03')")
    actions = [
        row["action"] for row in await connection.fetch("SELECT action FROM audit_logs ORDER BY id")
    ]
    await connection.close()

    expected = {"records": 1, "months": ["events_2001_03"]}
    assert json.loads(counted.stdout)["removed"]["events"] == expected
    assert json.loads(removed.stdout)["removed"]["events"] == expected
    assert json.loads(again.stdout)["removed"]["events"] == {"records": 0, "months": []}
    assert left is None
    assert actions.count("retention.run") == 2


def test_every_change_is_on_record(nodes: Nodes) -> None:
    nodes.change(retention_audit_days=1000)
    nodes.change(retention_audit_days=None)

    with nodes.here as client:
        listed = client.get("/api/v1/audit_logs", params={"limit": 2}).raise_for_status().json()
    reset, changed = listed["items"]
    assert (changed["action"], reset["action"]) == ("setting.changed", "setting.reset")
    assert changed["before"] == reset["after"] == {"value": 0, "source": "default"}
    assert changed["after"] == reset["before"] == {"value": 1000, "source": "database"}
