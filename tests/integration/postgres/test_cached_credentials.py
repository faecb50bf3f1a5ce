"""What the cache of credentials may remember, and when it has to forget."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.credentials import CachedCredentials
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from domain.identity.api_key import ApiKey, hash_secret
from domain.operations.runtime_settings import CACHE_DISABLE_ALL
from domain.shared.errors import UnavailableError
from tests.builders import OTHER_TEAM_ID, USER_ID, a_key, a_team
from tests.fakes.clock import START
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.fixtures.embedded_postgres import execute
from tests.fixtures.patience import PATIENCE_S

TERMINATE_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'stoa credentials'"
)


@dataclass(slots=True)
class Node:
    """The part of a server that authenticates."""

    url: str
    engine: AsyncEngine
    changes: IdentityChanges
    credentials: CachedCredentials
    settings: InMemoryRuntimeSettings
    queries: list[str] = field(default_factory=list)

    def unit_of_work(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(make_sessions(self.engine))

    async def save(self, key: ApiKey) -> None:
        async with self.unit_of_work() as tx:
            await tx.api_keys.save(key)
            await tx.commit()


@pytest.fixture
async def nodes(team_url: str) -> AsyncIterator[list[Node]]:
    """Two servers on one database, in which a user is a member of both teams."""
    await execute(
        team_url,
        "INSERT INTO users"  # noqa: S608
        " (id, display_name, created_at, avatar_colour, locale, is_active, is_operator)"
        f" VALUES ('{USER_ID}', 'Ada', now(), '#000000', 'en', true, false)",
        f"INSERT INTO memberships SELECT id, '{USER_ID}', 'owner' FROM teams",  # noqa: S608
    )
    async with AsyncExitStack() as stack:
        yield [await _node(team_url, stack) for _ in range(2)]


@pytest.fixture
async def key(nodes: list[Node]) -> ApiKey:
    return await _add(nodes[0], a_key())


async def _node(url: str, stack: AsyncExitStack) -> Node:
    engine = make_engine(url)
    stack.push_async_callback(engine.dispose)
    settings = InMemoryRuntimeSettings()
    changes = IdentityChanges(url, is_caching_disabled=lambda: settings.get(CACHE_DISABLE_ALL))
    credentials = CachedCredentials(make_sessions(engine), changes, capacity=3)
    stack.push_async_callback(changes.stop)
    await changes.start()
    node = Node(url, engine, changes, credentials, settings)

    def remember(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "secret_hash" in statement and statement.startswith("SELECT"):
            node.queries.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", remember)
    return node


async def _add(node: Node, key: ApiKey) -> ApiKey:
    async with node.unit_of_work() as tx:
        await tx.api_keys.add(key)
        await tx.commit()
    # Let every node hear of it before the test begins.
    await asyncio.sleep(0.05)
    return key


@contextmanager
def counted(node: Node, expected: int) -> Iterator[None]:
    before = len(node.queries)
    yield
    assert len(node.queries) - before == expected


async def test_a_warm_look_up_costs_no_query(nodes: list[Node], key: ApiKey) -> None:
    node = nodes[0]

    with counted(node, 1):
        found = [await node.credentials.find(key.secret_hash) for _ in range(5)]

    assert {None if f is None else f.key.id for f in found} == {key.id}


async def test_a_wrong_key_that_is_repeated_costs_one_query(nodes: list[Node]) -> None:
    with counted(nodes[0], 1):
        for _ in range(5):
            assert await nodes[0].credentials.find(hash_secret("wrong")) is None


async def test_simultaneous_look_ups_share_a_query(nodes: list[Node], key: ApiKey) -> None:
    find = nodes[0].credentials.find

    with counted(nodes[0], 1):
        tasks = [asyncio.create_task(find(key.secret_hash)) for _ in range(10)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(found[0], asyncio.CancelledError)
    assert all(not isinstance(f, BaseException | None) and f.key == key for f in found[1:])


async def test_remembers_no_more_than_it_may(nodes: list[Node]) -> None:
    node = nodes[0]
    keys = [await _add(node, a_key()) for _ in range(4)]
    unknown = [hash_secret(str(number)) for number in range(4)]

    for secret_hash in [*(k.secret_hash for k in keys), keys[1].secret_hash, *unknown]:
        await node.credentials.find(secret_hash)

    with counted(node, 0):
        for secret_hash in (keys[1].secret_hash, keys[2].secret_hash, *unknown[1:]):
            await node.credentials.find(secret_hash)
    with counted(node, 2):
        for secret_hash in (keys[0].secret_hash, unknown[0]):
            await node.credentials.find(secret_hash)


async def test_a_revocation_elsewhere_is_obeyed_within_a_second(
    nodes: list[Node], key: ApiKey
) -> None:
    for node in nodes:
        await node.credentials.find(key.secret_hash)
    key.revoke(START)

    await nodes[0].save(key)

    async with asyncio.timeout(PATIENCE_S):
        for node in nodes:
            while not await _is_revoked(node, key):
                await asyncio.sleep(0.001)


async def test_what_is_rolled_back_is_not_announced(nodes: list[Node], key: ApiKey) -> None:
    await nodes[1].credentials.find(key.secret_hash)

    async with nodes[0].unit_of_work() as tx:
        await tx.api_keys.save(key)
    await asyncio.sleep(0.05)

    with counted(nodes[1], 0):
        await nodes[1].credentials.find(key.secret_hash)


async def test_a_change_of_one_team_leaves_the_others_alone(nodes: list[Node], key: ApiKey) -> None:
    theirs = await _add(nodes[0], a_key(team_id=OTHER_TEAM_ID))
    for known in (key, theirs):
        await nodes[0].credentials.find(known.secret_hash)

    async with nodes[1].unit_of_work() as tx:
        await tx.teams.save(a_team(name="Renamed"))
        await tx.commit()
    await asyncio.sleep(0.05)

    with counted(nodes[0], 0):
        await nodes[0].credentials.find(theirs.secret_hash)
    with counted(nodes[0], 1):
        found = await nodes[0].credentials.find(key.secret_hash)
    assert found is not None


async def test_a_look_up_that_began_before_a_change_is_not_remembered_after_it(
    nodes: list[Node], key: ApiKey
) -> None:
    node = nodes[0]
    connection = await asyncpg.connect(node.url)
    async with connection.transaction():
        # It holds the look-up up until the change has been announced.
        await connection.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
        look_up = asyncio.create_task(node.credentials.find(key.secret_hash))
        await asyncio.sleep(0.05)
        await execute(node.url, f"SELECT pg_notify('stoa_identity', '{key.team_id}')")
        await asyncio.sleep(0.05)
    await connection.close()
    await look_up

    with counted(node, 1):
        await node.credentials.find(key.secret_hash)


async def test_asks_each_time_while_it_cannot_hear(
    nodes: list[Node], key: ApiKey, sql: asyncpg.Connection
) -> None:
    node = nodes[0]
    await node.credentials.find(key.secret_hash)
    await sql.execute(TERMINATE_LISTENERS)
    await _until(node, is_listening=False)

    with counted(node, 2):
        deaf = [await node.credentials.find(key.secret_hash) for _ in range(2)]
    await _until(node, is_listening=True)
    with counted(node, 1):
        hearing = [await node.credentials.find(key.secret_hash) for _ in range(2)]

    assert {f is not None for f in (*deaf, *hearing)} == {True}


async def test_asks_each_time_while_all_caches_are_disabled(nodes: list[Node], key: ApiKey) -> None:
    node = nodes[0]
    wrong = hash_secret("wrong")
    await node.credentials.find(key.secret_hash)

    node.settings.set(CACHE_DISABLE_ALL, True)
    with counted(node, 4):
        found = [await node.credentials.find(key.secret_hash) for _ in range(2)]
        unknown = [await node.credentials.find(wrong) for _ in range(2)]
    node.settings.set(CACHE_DISABLE_ALL, False)
    with counted(node, 0):
        await node.credentials.find(key.secret_hash)

    assert [None if f is None else f.key.id for f in found] == [key.id] * 2
    assert unknown == [None, None]


async def test_says_when_the_database_is_away() -> None:
    url = "postgresql://stoa@/stoa?host=/nonexistent"
    engine = make_engine(url)
    credentials = CachedCredentials(make_sessions(engine), IdentityChanges(url))

    with pytest.raises(UnavailableError):
        await credentials.find(hash_secret("any"))
    await engine.dispose()


async def _until(node: Node, *, is_listening: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while node.changes.are_heard != is_listening:
            await asyncio.sleep(0)


async def _is_revoked(node: Node, key: ApiKey) -> bool:
    found = await node.credentials.find(key.secret_hash)
    return found is not None and found.key.revoked_at is not None
