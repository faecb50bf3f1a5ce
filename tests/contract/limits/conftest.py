"""The counters of limits in memory, in Postgres and in Redis, behind one face."""

from collections.abc import AsyncIterator

import pytest

from application.inference.allowance_ports import RateLimits
from tests.fixtures.limit_stores import (
    LimitStore,
    MemoryLimitStore,
    PostgresLimitStore,
    RedisLimitStore,
)
from tests.fixtures.redis_server import RedisServer, a_redis_server


@pytest.fixture
def memory_limits() -> MemoryLimitStore:
    return MemoryLimitStore()


@pytest.fixture
async def postgres_limits(database_url: str) -> AsyncIterator[PostgresLimitStore]:
    store = PostgresLimitStore(database_url)
    yield store
    await store.stop()


@pytest.fixture(scope="session")
async def redis_server() -> AsyncIterator[RedisServer]:
    async with a_redis_server() as server:
        yield server


@pytest.fixture
async def redis_limits(redis_server: RedisServer) -> AsyncIterator[RedisLimitStore]:
    store = RedisLimitStore(redis_server.url)
    yield store
    await store.stop()


@pytest.fixture(params=["memory", "postgres", "redis"])
def store(request: pytest.FixtureRequest) -> LimitStore:
    store: LimitStore = request.getfixturevalue(f"{request.param}_limits")
    return store


@pytest.fixture
async def limits(store: LimitStore) -> RateLimits:
    return (await store.process()).limits
