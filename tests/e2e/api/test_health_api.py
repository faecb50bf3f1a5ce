from application.operations.ports import ComponentHealth, HealthStatus
from domain.shared.errors import UnavailableError
from tests.e2e.api.world import World
from tests.fakes.health import ToldHealthProbe


def away() -> ComponentHealth:
    raise UnavailableError("The database is away.")


def loading() -> ComponentHealth:
    return ComponentHealth(status=HealthStatus.DEGRADED, detail="loading")


async def test_the_process_is_alive_whatever_else_is_not() -> None:
    world = World(probes=[ToldHealthProbe("database", away)])
    world.readiness.wait_for("starting the database")
    async with world.client(None) as client:
        answer = await client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_not_ready_says_what_is_missing() -> None:
    world = World()
    world.readiness.wait_for("starting the database")
    async with world.client(None) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "reason": "starting the database"}
    assert answer.headers["retry-after"] == "1"


async def test_ready_until_a_needed_part_fails() -> None:
    probes = [ToldHealthProbe("database"), ToldHealthProbe("models", loading)]
    async with World(probes=probes).client(None) as client:
        ready = await client.get("/readyz")
    async with World(probes=[ToldHealthProbe("database", away)]).client(None) as client:
        failing = await client.get("/readyz")

    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert failing.status_code == 503
    assert failing.json()["reason"] == "database: The database is away."


async def test_the_summary_has_four_members_and_needs_no_key() -> None:
    world = World(probes=[ToldHealthProbe("models", loading)])
    async with world.client(None) as client:
        world.clock.advance(seconds=90)
        answer = await client.get("/api/v1/health")

    assert answer.json() == {
        "status": "degraded",
        "timestamp": "2026-11-21T12:01:30Z",
        "version": "1.2.3",
        "uptime": 90.0,
    }


async def test_the_summary_answers_while_the_process_starts() -> None:
    world = World()
    world.readiness.wait_for("migrating")
    async with world.client(None) as client:
        answer = await client.get("/api/v1/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "starting")


async def test_details_show_every_part() -> None:
    world = World(probes=[ToldHealthProbe("database"), ToldHealthProbe("models", loading)])
    async with world.client() as client:
        answer = await client.get("/api/v1/health/detailed")

    body = answer.json()
    assert body["status"] == "degraded"
    assert body["components"] == {
        "database": {"status": "healthy", "latency_ms": 0.0, "detail": None},
        "models": {"status": "degraded", "latency_ms": 0.0, "detail": "loading"},
    }


async def test_details_need_a_key() -> None:
    async with World().client(None) as client:
        answer = await client.get("/api/v1/health/detailed")

    assert answer.status_code == 401


async def test_stoas_own_api_waits_for_the_start() -> None:
    world = World()
    world.readiness.wait_for("migrating")
    async with world.client() as client:
        answer = await client.get("/api/v1/keys")

    assert answer.status_code == 503
    assert answer.json()["code"] == "SERVICE_UNAVAILABLE"
    assert "migrating" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "1"
