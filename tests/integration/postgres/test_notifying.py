"""Many nodes notify of the same events, and some of them die of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.operations.event_feed import PostgresEventFeed
from adapters.postgres.partitions import ensure_partitions, months_from
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.operations.events.notify_of_events import NotifyOfEvents
from application.operations.records.error_reporter import ErrorReporter
from domain.identity.permissions import Role
from domain.operations.event import Event
from domain.shared.ids import UserId
from tests.builders import TEAM_ID, USER_ID, a_membership, a_user
from tests.event_builders import an_event
from tests.fakes.clock import START, FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.ids import SequentialIds, uuid7_at

SECOND_ID = UserId(uuid7_at(START, 20))
EVENTS = 150
NODES = 4


@pytest.fixture
async def nodes(team_url: str, sql: asyncpg.Connection) -> AsyncIterator[list[NotifyOfEvents]]:
    """Of a team with two owners in which a lot has happened."""
    await ensure_partitions(sql, months_from(START))
    async with AsyncExitStack() as stack:
        engine = make_engine(team_url, pool_size=NODES + 1)
        stack.push_async_callback(engine.dispose)
        sessions = make_sessions(engine)
        async with PostgresUnitOfWork(sessions) as tx:
            for user_id in (USER_ID, SECOND_ID):
                await tx.users.add(a_user(id=user_id))
                await tx.memberships.add(a_membership(user_id=user_id, role=Role.OWNER))
            for number in range(EVENTS):
                await tx.events.add(a_threshold(number))
            await tx.commit()
        feed = PostgresEventFeed(sessions, team_url)
        await feed.start()
        stack.push_async_callback(feed.stop)
        await feed.subscribe(TEAM_ID)
        ids, clock = SequentialIds(), FrozenClock()
        reporter = ErrorReporter(errors=RecordingErrorLog(), clock=clock, ids=ids)
        yield [
            NotifyOfEvents(
                uow=PostgresUnitOfWork(sessions), clock=clock, ids=ids, reporter=reporter
            )
            for _ in range(NODES)
        ]


def a_threshold(number: int) -> Event:
    data = {"subject": {"kind": "team", "id": str(TEAM_ID)}, "threshold": number, "period": "day"}
    return an_event(type="budget.threshold_reached", data=data)


async def test_everybody_is_notified_of_everything_once(
    nodes: list[NotifyOfEvents], sql: asyncpg.Connection
) -> None:
    dying = asyncio.create_task(nodes[0]())
    await asyncio.sleep(0.05)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    for _ in range(3):
        await asyncio.gather(*(notify() for notify in nodes))

    told = await sql.fetch("SELECT user_id, count(*) FROM notifications GROUP BY user_id")
    announced = await sql.fetchval(
        "SELECT count(DISTINCT data->>'id') FROM events WHERE type = 'notification.created'"
    )
    events = await sql.fetchval("SELECT count(*) FROM events WHERE type = 'notification.created'")
    assert dict(told) == {USER_ID: EVENTS, SECOND_ID: EVENTS}
    assert announced == events == 2 * EVENTS


async def test_who_leaves_the_team_leaves_the_notifications_behind(
    nodes: list[NotifyOfEvents], sql: asyncpg.Connection
) -> None:
    await nodes[0]()

    await sql.execute("DELETE FROM memberships WHERE user_id = $1", SECOND_ID)

    told = await sql.fetch("SELECT user_id, count(*) FROM notifications GROUP BY user_id")
    assert dict(told) == {USER_ID: EVENTS}
