"""Each port in memory and on Postgres, behind one face."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from adapters.postgres.engine import make_engine
from adapters.postgres.partitions import ensure_partitions, months_from
from application.identity.ports import IdentityUnitOfWork
from tests.builders import OTHER_TEAM_ID, a_membership, a_team, a_user
from tests.fakes.clock import START
from tests.fixtures.stores import (
    IdentityStore,
    LedgerStore,
    MemoryIdentityStore,
    MemoryLedgerStore,
    PostgresIdentityStore,
    PostgresLedgerStore,
)


@pytest.fixture
async def partitioned_url(
    database_url: str, worker_database: tuple[str, asyncpg.Connection]
) -> str:
    """A database with the partitions of the moment at which the tests play."""
    _, connection = worker_database
    await ensure_partitions(connection, months_from(START))
    return database_url


@pytest.fixture
def memory_identity() -> MemoryIdentityStore:
    return MemoryIdentityStore()


@pytest.fixture
async def postgres_identity(partitioned_url: str) -> AsyncIterator[PostgresIdentityStore]:
    async with AsyncExitStack() as stack:
        engine = make_engine(partitioned_url, pool_size=2, max_overflow=3)
        stack.push_async_callback(engine.dispose)
        store = PostgresIdentityStore(partitioned_url, engine)
        stack.push_async_callback(store.stop)
        await store.start()
        yield store


@pytest.fixture(params=["memory", "postgres"])
def identity(request: pytest.FixtureRequest) -> IdentityStore:
    store: IdentityStore = request.getfixturevalue(f"{request.param}_identity")
    return store


@pytest.fixture
async def uow(identity: IdentityStore) -> IdentityUnitOfWork:
    """Of a database with two teams that have the same owner."""
    await _two_teams(identity)
    return identity.unit_of_work()


@pytest.fixture
def memory_ledger(memory_identity: MemoryIdentityStore) -> MemoryLedgerStore:
    return MemoryLedgerStore(memory_identity)


@pytest.fixture
async def postgres_ledger(
    postgres_identity: PostgresIdentityStore,
) -> AsyncIterator[PostgresLedgerStore]:
    await _two_teams(postgres_identity)
    store = PostgresLedgerStore(postgres_identity)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> LedgerStore:
    store: LedgerStore = request.getfixturevalue(f"{request.param}_ledger")
    return store


async def _two_teams(store: IdentityStore) -> None:
    async with store.unit_of_work() as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.users.add(a_user())
        await tx.memberships.add(a_membership())
        await tx.memberships.add(a_membership(team_id=OTHER_TEAM_ID))
        await tx.commit()
