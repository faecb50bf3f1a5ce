"""What limits in Redis do while it is away, and when it has forgotten everything."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from adapters.redis.limit_client import places_of
from adapters.redis.limit_script import RENEW
from adapters.redis.rate_limits import RedisRateLimits
from domain.inference.rate import Measure
from domain.shared.errors import UnavailableError
from tests.fakes.wire import Wire, a_switchboard
from tests.fixtures.demands import of_key, until_admitted, until_refused
from tests.fixtures.patience import PATIENCE_S, until
from tests.fixtures.redis_server import RedisServer, a_redis_server

LEASE_S = 0.6


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with a_redis_server() as server:
        yield server


@pytest.fixture
async def limits(server: RedisServer) -> AsyncIterator[RedisRateLimits]:
    limits = RedisRateLimits(server.url, timeout_s=0.5, lease_s=LEASE_S)
    yield limits
    await limits.stop()


async def test_a_server_that_was_never_there_is_unavailable() -> None:
    limits = RedisRateLimits("unix:///nonexistent/redis.sock", timeout_s=0.5)

    with pytest.raises(UnavailableError) as away:
        await limits.take(of_key(rpm=1))

    assert away.value.retry_after is not None
    assert "redis" not in away.value.message
    await limits.stop()


async def test_calls_end_well_while_the_server_is_away(
    server: RedisServer, limits: RedisRateLimits
) -> None:
    demand = of_key(rpm=5, tpm=100, concurrency=1, tokens=50)
    await limits.take(demand)
    await server.stop()

    limits.settle(demand, 10)
    limits.release(of_key(rpm=5))
    with pytest.raises(UnavailableError):
        await limits.take(of_key(rpm=5))
    await server.start()

    await until_admitted(limits, lambda: of_key(concurrency=1))


async def test_a_server_that_forgot_everything_learns_of_running_calls(
    server: RedisServer, limits: RedisRateLimits
) -> None:
    await limits.take(of_key(concurrency=1))
    await server.stop()
    await server.start()

    error = await until_refused(limits, lambda: of_key(concurrency=1))

    assert error.measure is Measure.CONCURRENCY


async def test_what_is_given_back_while_it_is_renewed_is_free(server: RedisServer) -> None:
    dial = partial(asyncio.open_unix_connection, urlsplit(server.url).path)
    demand = of_key(concurrency=1)
    async with a_switchboard(dial) as board, Redis.from_url(server.url) as client:
        renewal = (await client.script_load(RENEW)).encode()
        board.on_wire = partial(_hold_up, renewal)
        url = f"redis://127.0.0.1:{board.port}"
        limits = RedisRateLimits(url, timeout_s=PATIENCE_S, lease_s=LEASE_S)
        await limits.take(demand)
        await until(lambda: any(wire.to_server.is_held_up for wire in board.wires))

        limits.release(demand)
        # Whatever overtakes a renewal does so now.
        await asyncio.sleep(0.1)
        for wire in board.wires:
            wire.let_through()
        await limits.stop()

        assert await client.zcard(places_of(demand)[0]) == 0


def _hold_up(at: bytes, wire: Wire) -> None:
    wire.to_server.hold_at = at


async def test_a_call_that_is_given_up_while_redis_hangs_keeps_nothing(
    server: RedisServer, limits: RedisRateLimits
) -> None:
    await limits.look(of_key(concurrency=1))
    server.freeze()
    task = asyncio.create_task(limits.take(of_key(rpm=3, concurrency=1)))
    await asyncio.sleep(0.05)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.thaw()

    await until_admitted(limits, lambda: of_key(concurrency=1))


async def test_a_server_that_hangs_is_waited_for_no_longer_than_was_set(
    server: RedisServer, limits: RedisRateLimits
) -> None:
    await limits.look(of_key(rpm=1))
    server.freeze()

    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(UnavailableError):
            await limits.take(of_key(rpm=1))

    server.thaw()
