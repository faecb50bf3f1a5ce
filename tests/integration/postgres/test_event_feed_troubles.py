"""What goes wrong between Postgres and those who listen to events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.operations.event_feed import PostgresEventFeed
from adapters.postgres.partitions import ensure_partitions, months_from
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.operations.events.ports import EventSubscription
from application.operations.records.error_reporter import ErrorReporter
from domain.operations.event import Event
from tests.builders import OTHER_TEAM_ID, TEAM_ID
from tests.event_builders import an_event
from tests.fakes.clock import START
from tests.fakes.errors import RecordingErrorLog
from tests.fixtures.patience import PATIENCE_S

LISTENERS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stoa events'"
)


@dataclass(slots=True)
class Node:
    engine: AsyncEngine
    feed: PostgresEventFeed

    def unit_of_work(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(make_sessions(self.engine))

    async def happen(self, *events: Event) -> None:
        async with self.unit_of_work() as tx:
            for event in events:
                await tx.events.add(event)
            await tx.commit()


@pytest.fixture
async def nodes(team_url: str, sql: asyncpg.Connection) -> AsyncIterator[list[Node]]:
    """Two servers on one database, which remember little and look rarely on their own."""
    await ensure_partitions(sql, months_from(START))
    async with AsyncExitStack() as stack:
        nodes = []
        for _ in range(2):
            engine = make_engine(team_url)
            stack.push_async_callback(engine.dispose)
            feed = PostgresEventFeed(make_sessions(engine), team_url, look_every_s=60, remembered=5)
            stack.push_async_callback(feed.stop)
            await feed.start()
            nodes.append(Node(engine, feed))
        yield nodes


async def hear(listener: EventSubscription, count: int) -> list[Event]:
    heard: list[Event] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(heard) < count:
            heard += await listener.next()
    return heard


async def test_all_nodes_tell_the_same_order(nodes: list[Node]) -> None:
    listeners = [await node.feed.subscribe(TEAM_ID) for node in nodes]
    events = [an_event() for _ in range(40)]

    async def commit_after_a_while(number: int, event: Event) -> None:
        async with nodes[number % 2].unit_of_work() as tx:
            await tx.events.add(event)
            await asyncio.sleep((number * 7 % 5) * 0.004)
            await tx.commit()

    await asyncio.gather(*(commit_after_a_while(*numbered) for numbered in enumerate(events)))
    heard = [await hear(listener, 40) for listener in listeners]

    assert heard[0] == heard[1]
    assert sorted(heard[0], key=lambda event: event.id) == events
    again = await nodes[1].feed.subscribe(TEAM_ID, after=heard[0][17].id)
    assert await hear(again, 22) == heard[0][18:]


async def test_a_long_transaction_of_somebody_else_holds_nothing_up(nodes: list[Node]) -> None:
    listener = await nodes[0].feed.subscribe(TEAM_ID)
    other, event = an_event(team_id=OTHER_TEAM_ID), an_event()

    async with nodes[1].unit_of_work() as tx:
        await tx.events.add(other)
        await nodes[1].happen(event)
        heard = await hear(listener, 1)

    assert heard == [event]


async def test_who_falls_behind_what_is_remembered_misses_nothing(nodes: list[Node]) -> None:
    quick, slow = [await nodes[0].feed.subscribe(TEAM_ID) for _ in range(2)]
    events = [an_event() for _ in range(450)]

    for start in range(0, 450, 90):
        await nodes[0].happen(*events[start : start + 90])
    heard_quickly = await hear(quick, 450)
    heard_slowly = await hear(slow, 450)

    assert heard_quickly == events
    assert heard_slowly == events


async def test_what_happens_while_nothing_is_heard_is_read_afterwards(
    nodes: list[Node], sql: asyncpg.Connection
) -> None:
    listener = await nodes[0].feed.subscribe(TEAM_ID)
    event = an_event()

    await sql.execute(f"SELECT pg_terminate_backend(pid) {LISTENERS}")
    await nodes[0].happen(event)

    assert await hear(listener, 1) == [event]


async def test_an_event_that_nobody_announced_is_found(
    team_url: str, nodes: list[Node], sql: asyncpg.Connection
) -> None:
    feed = PostgresEventFeed(make_sessions(nodes[0].engine), team_url, look_every_s=0.05)
    await feed.start()
    listener = await feed.subscribe(TEAM_ID)
    event = an_event(data={})

    await sql.execute(
        "INSERT INTO events (team_id, id, at, type, data) VALUES ($1, $2, $3, $4, '{}')",
        event.team_id,
        event.id,
        event.at,
        event.type,
    )
    heard = await hear(listener, 1)
    await feed.stop()

    assert heard == [event]


async def test_what_keeps_events_from_being_read_is_on_record_and_passes(
    team_url: str, nodes: list[Node], sql: asyncpg.Connection
) -> None:
    errors = RecordingErrorLog()
    reporter = ErrorReporter(errors=errors, clock=SystemClock(), ids=SystemIds())
    sessions = make_sessions(nodes[0].engine)
    feed = PostgresEventFeed(sessions, team_url, look_every_s=0.05, reporter=reporter)
    await feed.start()
    listener = await feed.subscribe(TEAM_ID)
    event = an_event()

    await sql.execute("ALTER TABLE events RENAME TO gone")
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not errors.occurrences:
                await asyncio.sleep(0.01)
    finally:
        await sql.execute("ALTER TABLE gone RENAME TO events")
    await nodes[0].happen(event)
    heard = await hear(listener, 1)
    await feed.stop()

    assert heard == [event]
    assert {(one.route, one.code) for one in errors.occurrences} == {
        ("event feed", "INTERNAL_ERROR")
    }


async def test_one_connection_listens_for_all(nodes: list[Node], sql: asyncpg.Connection) -> None:
    for _ in range(20):
        await nodes[0].feed.subscribe(TEAM_ID)
        await nodes[0].feed.subscribe(OTHER_TEAM_ID)

    assert await sql.fetchval(f"SELECT count(*) {LISTENERS}") == len(nodes)


async def test_a_permission_that_this_node_does_not_know_hides_its_event_alone(
    nodes: list[Node], sql: asyncpg.Connection
) -> None:
    listener = await nodes[0].feed.subscribe(TEAM_ID)
    unknown, event = an_event(), an_event()

    await nodes[0].happen(unknown)
    await hear(listener, 1)
    await sql.execute("UPDATE events SET permission = 'of.tomorrow'")
    await nodes[0].happen(event)

    assert await hear(listener, 1) == [event]
    assert (await hear(await nodes[0].feed.subscribe(TEAM_ID, after=unknown.id), 1)) == [event]
