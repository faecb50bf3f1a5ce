"""What operators see of the Redis that counts limits."""

import pytest

from adapters.http.metrics.exposition import Exposition
from adapters.redis.health import RedisProbe
from application.operations.ports import ComponentHealth, HealthStatus
from entrypoints.checkup.finding import Verdict
from entrypoints.checkup.storage import check_redis
from entrypoints.settings import Settings
from tests.fakes.health import ToldStoreProbe
from tests.fixtures.redis_server import a_redis_server

AWAY = "unix:///nonexistent/redis.sock"


def shown(exposition: Exposition) -> str:
    page, _ = exposition.render("text/plain")
    return page.decode()


async def test_a_redis_that_is_there_is_healthy_and_one_that_is_gone_degrades() -> None:
    async with a_redis_server() as server:
        probe = RedisProbe(server.url)
        exposition = Exposition(version="1", ledger_backlog=int, limit_store=probe)
        before = probe.is_there

        there = await probe.check()
        page = shown(exposition)
        await server.stop()
        gone = await probe.check()

    assert before is None
    assert there == ComponentHealth()
    assert "stoa_redis_up 1.0" in page
    assert gone.status is HealthStatus.DEGRADED
    assert "stoa_redis_up 0.0" in shown(exposition)


async def test_the_url_of_a_redis_is_in_no_finding() -> None:
    probe = RedisProbe("redis://:canary@127.0.0.1:9/0")

    health = await probe.check()

    assert health.status is HealthStatus.DEGRADED
    assert "canary" not in str(health)


async def test_the_doctor_looks_at_redis_where_one_is_set() -> None:
    [found] = await check_redis(Settings(redis_url=AWAY))

    assert await check_redis(Settings()) == []
    assert (found.check, found.verdict) == ("redis", Verdict.FAIL)


@pytest.mark.parametrize(("there", "value"), [(None, "1.0"), (True, "1.0"), (False, "0.0")])
def test_a_store_is_up_until_it_is_found_to_be_away(there: bool | None, value: str) -> None:
    store = ToldStoreProbe("redis", there=there)

    assert f"stoa_redis_up {value}" in shown(
        Exposition(version="1", ledger_backlog=int, limit_store=store)
    )


def test_without_redis_there_is_no_metric_of_it() -> None:
    assert "redis" not in shown(Exposition(version="1", ledger_backlog=int))
