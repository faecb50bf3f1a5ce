"""What the cache of sessions costs, and when it has to forget."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.known_sessions import CachedSessions
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from domain.identity.session import Session
from tests.builders import USER_ID, a_membership, a_session, a_user
from tests.fakes.clock import START
from tests.fixtures.patience import PATIENCE_S

TERMINATE_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'stoa credentials'"
)


@dataclass(slots=True)
class Node:
    """The part of a server that knows sessions."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    changes: IdentityChanges
    directory: CachedSessions
    queries: list[str] = field(default_factory=list)

    def unit_of_work(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self.sessions)

    async def is_live(self, session: Session) -> bool:
        found = await self.directory.find(session.id)
        return found is not None and found.session.is_live(START)

    async def log_out(self, session: Session) -> None:
        async with self.unit_of_work() as tx:
            await tx.sessions.revoke_all(session.user_id, START)
            await tx.commit()


@pytest.fixture
async def nodes(team_url: str) -> AsyncIterator[list[Node]]:
    """Two servers on one database."""
    async with AsyncExitStack() as stack:
        yield [await _node(team_url, stack) for _ in range(2)]


@pytest.fixture
async def session(nodes: list[Node]) -> Session:
    session = a_session()
    async with nodes[0].unit_of_work() as tx:
        await tx.users.add(a_user())
        await tx.memberships.add(a_membership())
        await tx.sessions.add(session)
        await tx.commit()
    # Let every node hear of it before the test begins.
    await asyncio.sleep(0.05)
    return session


async def _node(url: str, stack: AsyncExitStack) -> Node:
    engine = make_engine(url)
    stack.push_async_callback(engine.dispose)
    sessions = make_sessions(engine)
    changes = IdentityChanges(url, sessions)
    node = Node(engine, sessions, changes, CachedSessions(sessions, changes))
    stack.push_async_callback(changes.stop)
    await changes.start()

    def remember(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM sessions" in statement:
            node.queries.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", remember)
    return node


@contextmanager
def counted(node: Node, expected: int) -> Iterator[None]:
    before = len(node.queries)
    yield
    assert len(node.queries) - before == expected


async def test_a_warm_look_up_costs_no_query(nodes: list[Node], session: Session) -> None:
    for reference in (session.id, session.secret_hash):
        assert reference is not None
        with counted(nodes[0], 1):
            for _ in range(5):
                assert await nodes[0].directory.find(reference) is not None


async def test_the_node_that_ends_a_session_does_not_wait_to_be_told(
    nodes: list[Node], session: Session
) -> None:
    await nodes[0].is_live(session)

    await nodes[0].log_out(session)

    assert not await nodes[0].is_live(session)


async def test_another_node_hears_of_the_end_within_a_second(
    nodes: list[Node], session: Session
) -> None:
    await nodes[1].is_live(session)

    await nodes[0].log_out(session)

    async with asyncio.timeout(PATIENCE_S):
        while await nodes[1].is_live(session):
            await asyncio.sleep(0.001)


async def test_an_end_while_it_cannot_hear_is_obeyed_too(
    nodes: list[Node], session: Session, sql: asyncpg.Connection
) -> None:
    await nodes[1].is_live(session)

    await sql.execute(TERMINATE_LISTENERS)
    await nodes[0].log_out(session)

    async with asyncio.timeout(PATIENCE_S):
        while await nodes[1].is_live(session):
            await asyncio.sleep(0.001)


async def test_what_is_rolled_back_is_told_to_nobody(nodes: list[Node], session: Session) -> None:
    await nodes[0].is_live(session)

    async with nodes[0].unit_of_work() as tx:
        await tx.sessions.revoke_all(USER_ID, START)

    with counted(nodes[0], 0):
        assert await nodes[0].is_live(session)
