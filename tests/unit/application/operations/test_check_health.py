import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from application.operations.check_health import CheckHealth
from application.operations.inspect_health import InspectHealth
from application.operations.ports import ComponentHealth, HealthProbe, HealthStatus
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.shared.errors import ForbiddenError, UnavailableError
from domain.shared.ids import TeamId
from tests.fakes.health import ToldHealthProbe


@dataclass
class StandingClock(Clock):
    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class SilentProbe(HealthProbe):
    @property
    def name(self) -> str:
        return "silent"

    async def check(self) -> ComponentHealth:
        await asyncio.Event().wait()
        raise AssertionError


def degraded() -> ComponentHealth:
    return ComponentHealth(status=HealthStatus.DEGRADED, detail="loading")


def unavailable() -> ComponentHealth:
    raise UnavailableError("The database is away.")


def surprised() -> ComponentHealth:
    raise ValueError("password=canary")


async def test_nothing_to_look_at_is_healthy() -> None:
    report = await CheckHealth([], StandingClock())()

    assert report.status is HealthStatus.HEALTHY


async def test_the_worst_part_decides() -> None:
    probes = [
        ToldHealthProbe("ledger"),
        ToldHealthProbe("database", unavailable),
        ToldHealthProbe("models", degraded),
    ]

    report = await CheckHealth(probes, StandingClock())()

    assert report.status is HealthStatus.UNHEALTHY
    assert [part.name for part in report.components] == ["ledger", "database", "models"]
    assert report.components[1].health.detail == "The database is away."


async def test_an_unforeseen_failure_of_a_probe_keeps_its_words_inside() -> None:
    report = await CheckHealth([ToldHealthProbe("odd", surprised)], StandingClock())()

    assert report.status is HealthStatus.UNHEALTHY
    assert report.components[0].health.detail == "the check itself failed"


async def test_a_silent_part_is_unhealthy() -> None:
    report = await CheckHealth([SilentProbe()], StandingClock())()

    assert report.components[0].health.detail == "no answer within 2 seconds"


async def test_looks_once_for_all_who_ask_within_a_second() -> None:
    clock = StandingClock()
    probe = ToldHealthProbe("database")
    check_health = CheckHealth([probe], clock)

    await asyncio.gather(*(check_health() for _ in range(5)))
    looks_at_first = probe.looks
    clock.seconds = 1.0
    await check_health()

    assert looks_at_first == 1
    assert probe.looks == 2


async def test_details_are_for_those_who_manage_the_team() -> None:
    inspect = InspectHealth(check_health=CheckHealth([], StandingClock()))
    stranger = Actor(team_id=TeamId(UUID(int=1)), permissions=frozenset())

    with pytest.raises(ForbiddenError):
        await inspect(stranger)
