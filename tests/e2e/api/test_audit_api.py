import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime

import pytest

from domain.operations.audit import ActorKind
from domain.shared.ids import KeyId, TeamId, UserId
from tests.builders import an_audit_entry
from tests.e2e.api.doubles import NOON
from tests.e2e.api.world import World
from tests.fakes.ids import uuid7_at

AUDIT = "/api/v1/audit_logs"
EXPORT = f"{AUDIT}/export"
COLUMNS = (
    "id,at,actor_kind,user_id,key_id,action,target_type,target_id,before,after,correlation_id,"
    "address,user_agent"
)
SOMEBODY = UserId(uuid7_at(NOON, 1))
SOME_KEY = KeyId(uuid7_at(NOON, 2))


def a_world(*entries: Mapping[str, object]) -> World:
    world = World()
    world.identity.committed.audit += [
        an_audit_entry(**{"team_id": world.team.id, "at": NOON, **given}) for given in entries
    ]
    return world


async def test_an_entry_has_all_its_members() -> None:
    world = a_world({"actor_kind": ActorKind.KEY, "key_id": SOME_KEY, "user_id": SOMEBODY})
    entry = world.identity.committed.audit[0]
    async with world.client() as client:
        answer = await client.get(AUDIT)

    assert answer.json() == {
        "items": [
            {
                "id": str(entry.id),
                "at": "2026-11-21T12:00:00Z",
                "actor_kind": "key",
                "user_id": str(SOMEBODY),
                "key_id": str(SOME_KEY),
                "action": "key.issued",
                "target_type": "key",
                "target_id": entry.target_id,
                "before": None,
                "after": {"name": "ci"},
                "correlation_id": "c-1",
                "address": "203.0.113.7",
                "user_agent": "curl/8",
            }
        ],
        "next_cursor": None,
    }


async def test_what_is_done_over_the_api_is_on_the_audit_log() -> None:
    world = World()
    async with world.client() as client:
        made = (await client.post("/api/v1/keys", json={"name": "ci"})).json()
        [entry] = (await client.get(AUDIT, params={"action": "key.*"})).json()["items"]

    assert (entry["action"], entry["target_id"]) == ("key.issued", made["id"])
    assert entry["key_id"] == str(world.key.id)
    assert made["key"] not in json.dumps(entry)


async def test_a_cursor_leads_through_the_list() -> None:
    world = a_world(*({"target_id": str(n)} for n in range(3)))
    async with world.client() as client:
        first = (await client.get(AUDIT, params={"limit": 2})).json()
        rest = (await client.get(AUDIT, params={"cursor": first["next_cursor"]})).json()

    assert [item["target_id"] for item in first["items"] + rest["items"]] == ["2", "1", "0"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("path", [AUDIT, f"{EXPORT}?format=jsonl"])
@pytest.mark.parametrize(
    "query",
    [
        f"user_id={SOMEBODY}",
        f"key_id={SOME_KEY}",
        "action=team.updated",
        "action=team.*",
        "target_type=team",
        "target_id=wanted",
        "since=2026-11-21T12:00:00Z",
        "until=2026-11-21",
    ],
)
async def test_the_filters_choose(path: str, query: str) -> None:
    wanted: dict[str, object] = {
        "user_id": SOMEBODY,
        "key_id": SOME_KEY,
        "action": "team.updated",
        "target_type": "team",
        "target_id": "wanted",
    }
    before = datetime.fromisoformat("2026-11-20T12:00:00Z")
    is_late = not query.startswith("until")
    world = a_world(
        wanted | ({} if is_late else {"at": before}), {"at": before} if is_late else {"at": NOON}
    )
    async with world.client() as client:
        answer = await client.get(f"{path}{'&' if '?' in path else '?'}{query}")

    assert answer.status_code == 200
    items = answer.json()["items"] if path == AUDIT else list(map(json.loads, answer.iter_lines()))
    assert [item["target_id"] for item in items] == ["wanted"]


@pytest.mark.parametrize("path", [AUDIT, EXPORT])
@pytest.mark.parametrize(
    "query",
    ["user_id=canary", "key_id=canary", "since=canary", "action=ca*nary", "action=%00", "actor=x"],
)
async def test_a_wrong_filter_is_named(path: str, query: str) -> None:
    async with World().client() as client:
        answer = await client.get(f"{path}?{query}")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [query.partition("=")[0]]
    assert "canary" not in answer.text


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=canary"])
async def test_a_wrong_place_in_the_list_is_named(query: str) -> None:
    async with World().client() as client:
        answer = await client.get(f"{AUDIT}?{query}")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("path", [AUDIT, EXPORT])
async def test_other_teams_have_their_own(path: str) -> None:
    world = a_world({"team_id": TeamId(uuid7_at(NOON, 9)), "target_id": "canary"})
    async with world.client() as client:
        answer = await client.get(path)

    assert answer.status_code == 200
    assert "canary" not in answer.text


@pytest.mark.parametrize("path", [AUDIT, EXPORT])
async def test_a_key_without_the_scope_is_refused(path: str) -> None:
    world = World()
    async with world.client() as client:
        body = {"name": "caller", "scopes": ["models.invoke"]}
        made = (await client.post("/api/v1/keys", json=body)).json()
    async with world.client(made["key"]) as client:
        refused = await client.get(path)
    async with world.client(None) as client:
        unknown = await client.get(path)

    assert (refused.status_code, unknown.status_code) == (403, 401)
    assert refused.json()["code"] == "FORBIDDEN"


async def test_csv_is_what_spreadsheets_expect() -> None:
    world = a_world({"user_agent": 'a "quoted", name\r\nand a line', "before": {"a": [1, "é"]}})
    async with world.client() as client:
        answer = await client.get(EXPORT)

    header, rest = answer.text.split("\r\n", 1)
    assert header == COLUMNS
    assert rest.endswith("\r\n")
    [row] = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert row["user_agent"] == 'a "quoted", name\r\nand a line'
    assert json.loads(row["before"]) == {"a": [1, "é"]}
    assert (row["at"], row["key_id"]) == ("2026-11-21T12:00:00Z", "")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit_logs.csv"'


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r=1", "＝1", "|calc"],  # noqa: RUF001
)
async def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    world = a_world({"user_agent": text, "target_id": text})
    async with world.client() as client:
        answer = await client.get(EXPORT)

    [row] = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (row["user_agent"], row["target_id"]) == (f"'{text}", f"'{text}")


async def test_json_lines_are_the_items_of_the_list() -> None:
    world = a_world(*({"target_id": f"line\n{n}"} for n in range(3)))
    async with world.client() as client:
        listed = (await client.get(AUDIT)).json()["items"]
        answer = await client.get(EXPORT, params={"format": "jsonl"})

    assert [json.loads(line) for line in answer.text.splitlines()] == listed
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit_logs.jsonl"'


async def test_another_format_is_refused() -> None:
    async with World().client() as client:
        answer = await client.get(EXPORT, params={"format": "xlsx"})

    assert answer.status_code == 400
