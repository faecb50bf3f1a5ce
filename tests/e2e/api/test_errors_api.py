from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import get
from litestar.params import FromPath

from domain.operations.technical_error import ErrorOccurrence
from tests.builders import an_occurrence
from tests.e2e.api.doubles import NOON
from tests.e2e.api.world import World
from tests.fakes.errors import InMemoryErrorLog

ERRORS = "/api/v1/errors"
MINUTE = timedelta(minutes=1)


def a_world(*occurrences: ErrorOccurrence) -> World:
    world = World()
    log = InMemoryErrorLog(world.errors, world.ids)
    for occurrence in occurrences:
        log.record(occurrence)
    return world


async def test_a_group_has_all_its_members() -> None:
    occurrence = an_occurrence(at=NOON)
    world = a_world(occurrence)
    [group] = world.errors.groups.values()
    async with world.client() as client:
        listed = (await client.get(ERRORS)).json()
        shown = (await client.get(f"{ERRORS}/{occurrence.id}")).json()

    assert listed == {
        "items": [
            {
                "id": str(group.id),
                "fingerprint": "f" * 32,
                "code": "PROVIDER_ERROR",
                "exception_type": "domain.inference.errors.ProviderFailedError",
                "message": "The provider 'acme' failed (HTTP 500).",
                "route": "/v1/chat/completions",
                "state": "open",
                "count": 1,
                "first_seen": "2026-11-21T12:00:00Z",
                "last_seen": "2026-11-21T12:00:00Z",
                "resolved_at": None,
                "resolved_by": None,
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 20,
        "total_pages": 1,
    }
    [item] = shown.pop("occurrences")
    assert shown == listed["items"][0]
    assert item == {
        "id": str(occurrence.id),
        "at": "2026-11-21T12:00:00Z",
        "correlation_id": "c-1",
        "team_id": str(occurrence.team_id),
        "user_id": str(occurrence.user_id),
        "key_id": str(occurrence.key_id),
        "route": "/v1/chat/completions",
        "method": "POST",
        "message": "The provider 'acme' failed (HTTP 500).",
        "stack": "  somewhere",
    }


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["B", "A"]),
        ("code=A", ["A"]),
        ("state=ignored", []),
        ("since=2026-11-21T12:01:00Z", ["B"]),
        ("page_size=1&page=2", ["A"]),
    ],
)
async def test_the_filters_choose(query: str, wanted: list[str]) -> None:
    world = a_world(
        an_occurrence(fingerprint="a", code="A", at=NOON),
        an_occurrence(fingerprint="b", code="B", at=NOON + MINUTE),
    )
    async with world.client() as client:
        answer = await client.get(f"{ERRORS}?{query}")

    assert [item["code"] for item in answer.json()["items"]] == wanted


@pytest.mark.parametrize("query", ["state=canary", "since=canary", "page=0", "team=x"])
async def test_a_wrong_filter_is_named(query: str) -> None:
    async with World().client() as client:
        answer = await client.get(f"{ERRORS}?{query}")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [query.partition("=")[0]]
    assert "canary" not in answer.text


async def test_a_group_is_resolved_ignored_and_reopened() -> None:
    occurrence = an_occurrence(at=NOON)
    world = a_world(occurrence)
    [group] = world.errors.groups.values()
    seen: list[dict[str, Any]] = []
    async with world.client() as client:
        for wanted, state in (
            (group.id, "resolved"),
            (occurrence.id, "ignored"),
            (group.id, "open"),
        ):
            answer = await client.patch(f"{ERRORS}/{wanted}", json={"state": state})
            seen.append(answer.json())

    assert [group["state"] for group in seen] == ["resolved", "ignored", "open"]
    assert seen[0]["resolved_at"] == "2026-11-21T12:00:00Z"
    assert seen[0]["resolved_by"] == str(world.key.user_id)
    assert seen[1]["resolved_at"] is None
    assert [entry.action for entry in world.errors.audit] == [
        "error.resolved",
        "error.ignored",
        "error.reopened",
    ]


@pytest.mark.parametrize("body", [{}, {"state": "closed"}, {"state": "open", "count": 0}])
async def test_a_wrong_change_is_refused(body: dict[str, object]) -> None:
    world = a_world(an_occurrence())
    [group] = world.errors.groups.values()
    async with world.client() as client:
        answer = await client.patch(f"{ERRORS}/{group.id}", json=body)

    assert answer.status_code == 400
    assert world.errors.groups[group.id] == group


@pytest.mark.parametrize("wanted", [str(UUID(int=5)), "no-id"])
async def test_an_unknown_error_is_not_found(wanted: str) -> None:
    async with World().client() as client:
        answers = [
            await client.get(f"{ERRORS}/{wanted}"),
            await client.patch(f"{ERRORS}/{wanted}", json={"state": "open"}),
        ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert {answer.json()["code"] for answer in answers} == {"ERROR_NOT_FOUND"}


@pytest.mark.parametrize("scopes", [["models.invoke", "audit.read"], ["errors.read"]])
async def test_errors_are_for_those_with_the_scope(scopes: list[str]) -> None:
    world = a_world(an_occurrence())
    [group] = world.errors.groups.values()
    async with world.client() as client:
        made = await client.post("/api/v1/keys", json={"name": "k", "scopes": scopes})
    async with world.client(made.json()["key"]) as client:
        reading = [await client.get(path) for path in (ERRORS, f"{ERRORS}/{group.id}")]
        changing = await client.patch(f"{ERRORS}/{group.id}", json={"state": "ignored"})

    expected = 200 if "errors.read" in scopes else 403
    assert [answer.status_code for answer in reading] == [expected, expected]
    assert changing.status_code == 403


@get("/api/v1/broken/{thing:str}")
async def broken(thing: FromPath[str]) -> None:
    raise RuntimeError(f"no '{thing}'")


async def test_what_nobody_foresaw_is_on_record_by_the_id_of_the_answer() -> None:
    world = World(route_handlers=[broken])
    async with world.client() as client:
        answer = await client.get("/api/v1/broken/canary")

    [occurrence] = world.error_log.occurrences
    assert answer.status_code == 500
    assert answer.json()["id"] == str(occurrence.id)
    assert (occurrence.code, occurrence.exception_type) == ("INTERNAL_ERROR", "RuntimeError")
    assert (occurrence.route, occurrence.method) == ("/api/v1/broken/{thing}", "GET")
    assert occurrence.correlation_id == answer.headers["x-correlation-id"]
    assert "canary" not in occurrence.message + occurrence.stack


async def test_what_is_the_callers_fault_is_not_on_record() -> None:
    world = World()
    async with world.client() as client:
        for path in (f"{ERRORS}/no-id", "/api/v1/nothing", "/v1/nothing", f"{ERRORS}?page=0"):
            assert (await client.get(path)).status_code < 500

    assert world.error_log.occurrences == []


async def test_while_the_server_is_not_ready_refusals_are_on_record() -> None:
    world = World()
    world.readiness.wait_for("the database is starting")
    async with world.client() as client:
        answer = await client.get(ERRORS)

    [occurrence] = world.error_log.occurrences
    assert (answer.status_code, answer.json()["id"]) == (503, str(occurrence.id))
    assert occurrence.route == "/api/v1/errors"
