"""Streams of events from a server as its users run it; what happens comes from another process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import SystemIds
from domain.operations.event import Event
from domain.shared.ids import EventId, TeamId, UserId
from tests.e2e.conftest import SCRIPTED
from tests.event_builders import an_event
from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

STREAM = "/api/v1/events/stream"
GRACE_S = 50


@dataclass(slots=True)
class World:
    """A running server, and its database as another process sees it."""

    server: StoaServer
    database: PostgresUnitOfWork
    team_id: TeamId

    async def happen(self, **fields: Any) -> Event:
        own = {"id": EventId(SystemIds().new()), "team_id": self.team_id, "type": "door.opened"}
        event = an_event(**(own | fields))
        async with self.database as tx:
            await tx.events.add(event)
            await tx.commit()
        return event

    @asynccontextmanager
    async def stream(
        self, *, key: str | None = None, path: str = STREAM, **headers: str
    ) -> AsyncIterator["Stream"]:
        headers["authorization"] = f"Bearer {key or self.server.key}"
        async with (
            httpx.AsyncClient(base_url=self.server.url, timeout=60) as client,
            client.stream("GET", path, headers=headers) as answer,
        ):
            yield Stream(answer)


@dataclass(slots=True)
class Stream:
    answer: httpx.Response
    _lines: AsyncIterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.answer.aiter_lines()

    async def begin(self) -> "Stream":
        """Wait until the server listens."""
        assert await anext(self._lines) == "retry: 1000"
        return self

    async def next(self) -> dict[str, str]:
        """The next event's fields. Raises ``StopAsyncIteration`` at the end of the stream."""
        found: dict[str, str] = {}
        while True:
            line = await anext(self._lines)
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                found[name] = value
            elif not line and found:
                return found

    async def ids(self, count: int) -> list[UUID]:
        return [UUID((await self.next())["id"]) for _ in range(count)]

    async def silence(self, comments: int) -> None:
        while comments:
            comments -= (await anext(self._lines)).startswith(":")

    async def end(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(StopAsyncIteration):
                await self.next()


@pytest.fixture(scope="module")
async def world(
    postgres_under_test: PostgresUnderTest,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    database = f"{postgres_under_test.prefix}_events_{uuid4().hex[:8]}"
    url = await postgres_under_test.create(database, template=migrated_template)
    server = StoaServer(
        data_dir=tmp_path_factory.mktemp("events"),
        config=SCRIPTED,
        settings={
            "STOA_DATABASE_URL": url,
            "STOA_STREAM_HEARTBEAT_SECONDS": "0.3",
            "STOA_SHUTDOWN_GRACE_SECONDS": f"{GRACE_S}",
        },
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(postgres_under_test.drop, database)
        stack.enter_context(server)
        engine = make_engine(url)
        stack.push_async_callback(engine.dispose)
        unit_of_work = PostgresUnitOfWork(make_sessions(engine))
        async with unit_of_work as tx:
            team = await tx.teams.first()
        assert team is not None
        yield World(server, unit_of_work, team.id)


@pytest.fixture
async def owner(world: World) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {world.server.key}"}
    async with httpx.AsyncClient(base_url=world.server.url, headers=headers, timeout=60) as client:
        yield client


async def test_what_happens_in_another_process_is_told(world: World) -> None:
    async with world.stream() as stream:
        await stream.begin()
        event = await world.happen(data={"number": 7})
        told = await stream.next()

    assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert told["id"] == str(event.id)
    assert told["event"] == "door.opened"
    assert json.loads(told["data"]) == {
        "id": str(event.id),
        "type": "door.opened",
        "at": "2026-11-21T09:00:00Z",
        "data": {"number": 7},
    }


async def test_a_stream_goes_on_behind_the_last_event_that_was_seen(world: World) -> None:
    events = [await world.happen() for _ in range(4)]
    seen = str(events[1].id)

    async with world.stream(**{"last-event-id": seen}) as stream:
        by_header = await stream.ids(2)
        later = await world.happen()
        by_header += await stream.ids(1)
    async with world.stream(path=f"{STREAM}?last_event_id={seen}") as stream:
        by_parameter = await stream.ids(3)

    assert by_header == by_parameter == [events[2].id, events[3].id, later.id]


async def test_what_concerns_somebody_else_is_not_told(world: World) -> None:
    async with world.stream() as stream:
        await stream.begin()
        await world.happen(user_id=UserId(SystemIds().new()))
        event = await world.happen()
        told = await stream.ids(1)

    assert told == [event.id]


async def test_silence_is_filled_with_comments(world: World) -> None:
    begun = time.monotonic()
    async with world.stream() as stream:
        await stream.begin()
        await stream.silence(3)

    assert time.monotonic() - begun > 0.6


async def test_one_key_has_ten_streams_at_most(world: World, owner: httpx.AsyncClient) -> None:
    async with AsyncExitStack() as stack:
        # Kept, since a stream that nobody reads any more is closed.
        streams = [await stack.enter_async_context(world.stream()) for _ in range(10)]
        for stream in streams:
            await stream.begin()
        one_more = await owner.get(STREAM)
        other = (await owner.post("/api/v1/keys", json={"name": "listener"})).json()["key"]
        async with world.stream(key=other) as of_another_key:
            pass

    assert one_more.status_code == 429
    assert one_more.json()["code"] == "TOO_MANY_STREAMS"
    assert int(one_more.headers["retry-after"]) >= 1
    assert of_another_key.answer.status_code == 200
    async with world.stream() as again:
        assert again.answer.status_code == 200


async def test_a_stream_ends_when_its_key_is_revoked(
    world: World, owner: httpx.AsyncClient
) -> None:
    made = (await owner.post("/api/v1/keys", json={"name": "leaver"})).json()

    async with world.stream(key=made["key"]) as stream:
        await stream.begin()
        revoked = await owner.delete(f"/api/v1/keys/{made['id']}")
        await stream.end()

    assert revoked.is_success


async def test_a_stream_of_a_browser_ends_with_the_log_out(
    world: World, owner: httpx.AsyncClient
) -> None:
    login = {"email": "ada@example.com", "password": "a rather long secret 7"}
    await owner.post("/api/v1/users", json={**login, "display_name": "Ada", "role": "viewer"})
    site = {"origin": world.server.url}
    async with httpx.AsyncClient(base_url=world.server.url, headers=site, timeout=60) as browser:
        logged_in = await browser.post("/api/v1/auth/login", json=login)
        async with browser.stream("GET", STREAM) as answer:
            stream = await Stream(answer).begin()
            event = await world.happen()
            told = await stream.ids(1)
            logged_out = await browser.post("/api/v1/auth/logout")
            await stream.end()

    assert (logged_in.status_code, logged_out.status_code) == (200, 204)
    assert told == [event.id]


@pytest.mark.parametrize(
    ("headers", "query", "status", "code"),
    [
        ({"authorization": ""}, "", 401, "CREDENTIALS_MISSING"),
        ({}, "?last_event_id=tuesday", 400, "VALIDATION_ERROR"),
        ({"last-event-id": "tuesday"}, "", 400, "VALIDATION_ERROR"),
        ({}, "?since=tuesday", 400, "VALIDATION_ERROR"),
    ],
)
async def test_refusals_are_problems(
    owner: httpx.AsyncClient, headers: dict[str, str], query: str, status: int, code: str
) -> None:
    answer = await owner.get(STREAM + query, headers=headers)

    assert answer.status_code == status
    assert answer.json()["code"] == code


async def test_what_happened_is_listed_newest_first(world: World, owner: httpx.AsyncClient) -> None:
    events = [await world.happen() for _ in range(3)]
    hidden = await world.happen(user_id=UserId(SystemIds().new()))

    first = (await owner.get("/api/v1/events?limit=2")).json()
    rest = (await owner.get(f"/api/v1/events?cursor={first['next_cursor']}")).json()

    assert [item["id"] for item in first["items"]] == [str(events[2].id), str(events[1].id)]
    assert rest["items"][0]["id"] == str(events[0].id)
    assert str(hidden.id) not in str(first) + str(rest)
    assert (await owner.get("/api/v1/events?cursor=none")).status_code == 400


async def test_who_is_concerned_is_notified_and_marks_it_as_read(
    world: World, owner: httpx.AsyncClient
) -> None:
    path = "/api/v1/notifications"
    subject = {"kind": "team", "id": str(world.team_id)}
    data = {"subject": subject, "threshold": 50, "period": "day"}
    async with world.stream() as stream:
        await stream.begin()
        events = [await world.happen(type="budget.threshold_reached", data=data) for _ in range(3)]
        told = [await stream.next() for _ in range(6)]
    listed = (await owner.get(f"{path}?unread=true")).json()
    newest = listed["items"][0]

    marked = await owner.post(f"{path}/{newest['id']}/read")
    one_less = (await owner.get(f"{path}?unread=true&page_size=1")).json()
    all_marked = await owner.post(f"{path}/read_all")
    read = (await owner.get(path)).json()

    created = [json.loads(t["data"])["data"] for t in told if t["event"] == "notification.created"]
    assert [item["id"] for item in listed["items"]] == [c["id"] for c in reversed(created)]
    assert [item["event_id"] for item in listed["items"]] == [str(e.id) for e in reversed(events)]
    assert newest["title"] == "50 % of the daily budget of the team is spent."
    assert (listed["unread"], listed["total"], newest["read_at"]) == (3, 3, None)
    assert (marked.status_code, all_marked.status_code) == (204, 204)
    assert (one_less["unread"], one_less["total"], one_less["total_pages"]) == (2, 2, 2)
    assert (read["unread"], read["total"]) == (0, 3)
    assert all(item["read_at"] for item in read["items"])
    assert (await owner.post(f"{path}/{events[0].id}/read")).status_code == 404
    assert (await owner.get(path, headers={"authorization": ""})).status_code == 401


async def test_a_server_that_stops_does_not_wait_for_streams(world: World) -> None:
    async with world.stream() as stream:
        await stream.begin()
        asked = time.monotonic()
        code = world.server.stop()
        await stream.end()

    assert code == 0
    assert time.monotonic() - asked < GRACE_S
