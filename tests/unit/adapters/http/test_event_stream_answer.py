"""A stream of events as its client sees it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from adapters.http.data_plane.event_stream import PING
from adapters.http.events.event_stream import GREETING, EventStream, Pace, written
from adapters.http.events.open_streams import OpenStreams
from application.operations.events.listen_to_events import ListenToEvents, ListenToEventsQuery
from application.shared.actor import Actor
from domain.identity.errors import CredentialsInvalidError
from domain.identity.permissions import Permission
from domain.operations.errors import TooManyStreamsError
from domain.operations.event import Event
from domain.shared.errors import UnavailableError
from domain.shared.ids import KeyId
from tests.builders import OTHER_TEAM_ID, an_actor
from tests.event_builders import an_event
from tests.fakes.clock import START
from tests.fakes.events import InMemoryEventFeed
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import uuid7_at
from tests.fixtures.patience import PATIENCE_S

QUICK = Pace(heartbeat=60, check=0.02, patience=0.2)
READER = an_actor(permissions=frozenset({Permission.READ_TEAM}))


class Client:
    """Reads what is sent; ``reads`` is cleared by one that does not read any more."""

    def __init__(self, pace: Pace = QUICK) -> None:
        self.database = InMemoryIdentity()
        self.feed = InMemoryEventFeed(self.database)
        self.streams = OpenStreams(most=2)
        self.pace = pace
        self.actor = READER
        self.trouble: Exception | None = None
        self.checks = 0
        self.messages: list[Any] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.leaves = asyncio.Event()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def is_complete(self) -> bool:
        return bool(self.messages) and self.messages[-1].get("more_body") is False

    def happen(self, **fields: Any) -> Event:
        event = an_event(**fields)
        self.database.committed.events.append(event)
        return event

    def answer(self) -> EventStream:
        listen = ListenToEvents(feed=self.feed)
        return EventStream(
            actor=self.actor,
            listen=partial(listen, ListenToEventsQuery(actor=self.actor)),
            who_asks=self._who_asks,
            streams=self.streams,
            pace=self.pace,
        )

    async def ask(self) -> None:
        scope: Any = {"type": "http"}
        await self.answer()(scope, self._receive, self._send)

    async def sees(self, part: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while part not in self.body:
                await asyncio.sleep(0.005)

    async def _who_asks(self) -> Actor:
        self.checks += 1
        if self.trouble is not None:
            raise self.trouble
        return self.actor

    async def _receive(self) -> Any:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.reads.wait()
        self.messages.append(message)


@asynccontextmanager
async def streaming(client: Client) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(client.ask())
    await client.sees(GREETING)
    yield task
    async with asyncio.timeout(PATIENCE_S):
        await task
    assert client.feed.open == 0


async def test_events_are_sent_as_they_happen() -> None:
    client = Client()

    async with streaming(client):
        events = [client.happen(), client.happen(type="door.closed")]
        await client.sees(b"door.closed")
        client.leaves.set()

    assert client.messages[0]["status"] == 200
    assert client.body == GREETING + written(events)
    assert not client.is_complete


async def test_silence_is_filled_with_comments() -> None:
    client = Client(Pace(heartbeat=0.02, check=60))

    async with streaming(client):
        await client.sees(PING * 3)
        client.leaves.set()


async def test_the_stream_ends_when_the_server_stops() -> None:
    client = Client(Pace(heartbeat=60, check=60))

    async with streaming(client):
        client.streams.end()

    assert client.is_complete


@pytest.mark.parametrize("what", ["revoked", "another team", "another role"])
async def test_the_stream_ends_with_the_right_to_it(what: str) -> None:
    client = Client()

    async with streaming(client):
        if what == "revoked":
            client.trouble = CredentialsInvalidError()
        elif what == "another team":
            client.actor = an_actor(team_id=OTHER_TEAM_ID)
        else:
            client.actor = an_actor(permissions=frozenset())
        client.happen()

    assert client.is_complete
    assert client.body == GREETING


async def test_another_role_changes_what_is_told() -> None:
    client = Client()

    async with streaming(client):
        client.happen(permission=Permission.MANAGE_LIMITS, type="not.told")
        await asyncio.sleep(0.05)
        client.actor = an_actor(
            permissions=frozenset({Permission.READ_TEAM, Permission.MANAGE_LIMITS})
        )
        client.happen(permission=Permission.MANAGE_LIMITS, type="is.told")
        await client.sees(b"is.told")
        client.leaves.set()

    assert b"not.told" not in client.body


async def test_a_stream_outlives_a_database_that_is_away() -> None:
    client = Client()

    async with streaming(client):
        client.trouble = UnavailableError("away")
        checks = client.checks
        while client.checks < checks + 3:
            await asyncio.sleep(0.005)
        client.happen()
        await client.sees(b"thing.happened")
        client.leaves.set()


async def test_what_cannot_be_read_now_is_read_later() -> None:
    client = Client()

    async with streaming(client):
        client.feed.away = True
        event = client.happen()
        await asyncio.sleep(0.05)
        client.feed.away = False
        await client.sees(written([event]))
        client.leaves.set()


async def test_a_client_that_does_not_read_is_let_go() -> None:
    client = Client()

    async with streaming(client):
        client.reads.clear()
        client.happen()

    assert client.body == GREETING


async def test_each_key_has_so_many_streams_and_gets_them_back() -> None:
    clients = [Client() for _ in range(3)]
    streams = clients[0].streams
    for client in clients:
        client.streams = streams

    async with streaming(clients[0]), streaming(clients[1]):
        with pytest.raises(TooManyStreamsError):
            await clients[2].ask()
        with streams.counted(an_actor(key_id=KeyId(uuid7_at(START, 30)))):
            pass
        clients[0].leaves.set()
        clients[1].leaves.set()

    with streams.counted(READER), streams.counted(READER):
        pass


async def test_a_stream_that_cannot_begin_takes_no_place() -> None:
    client = Client()
    client.feed.away = True

    for _ in range(3):
        with pytest.raises(UnavailableError):
            await client.ask()

    assert client.messages == []


def test_credentials_are_looked_at_more_than_once_a_second() -> None:
    assert Pace().check < 1
