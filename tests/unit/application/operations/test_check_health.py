import asyncio

import pytest
from structlog.testing import capture_logs

from application.operations.check_health import (
    MAX_AGE_S,
    CheckedComponent,
    CheckHealth,
    HealthReport,
)
from application.operations.inspect_health import InspectHealth
from application.operations.ports import ComponentHealth, HealthStatus
from domain.identity.permissions import Permission
from domain.shared.errors import ForbiddenError, UnavailableError
from tests.builders import an_actor
from tests.fakes.clock import FrozenClock
from tests.fakes.gate import held_at
from tests.fakes.operations import ScriptedHealthProbe


def a_report(*statuses: HealthStatus) -> HealthReport:
    return HealthReport(
        components=tuple(
            CheckedComponent(name="part", health=ComponentHealth(status=status), latency_ms=0.0)
            for status in statuses
        )
    )


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ((), HealthStatus.HEALTHY),
        ((HealthStatus.HEALTHY,), HealthStatus.HEALTHY),
        ((HealthStatus.HEALTHY, HealthStatus.DEGRADED), HealthStatus.DEGRADED),
        ((HealthStatus.DEGRADED, HealthStatus.UNHEALTHY), HealthStatus.UNHEALTHY),
    ],
)
def test_a_report_is_as_bad_as_its_worst_part(
    statuses: tuple[HealthStatus, ...], worst: HealthStatus
) -> None:
    assert a_report(*statuses).status is worst


async def test_reports_on_every_part_in_order() -> None:
    degraded = ComponentHealth(status=HealthStatus.DEGRADED, detail="behind by 3 rows")
    probes = [ScriptedHealthProbe("database"), ScriptedHealthProbe("ledger", degraded)]

    report = await CheckHealth(probes, FrozenClock())()

    assert [(part.name, part.health) for part in report.components] == [
        ("database", ComponentHealth()),
        ("ledger", degraded),
    ]


async def test_looks_at_all_parts_at_the_same_time() -> None:
    clock = FrozenClock()
    slow, quick = ScriptedHealthProbe("slow"), ScriptedHealthProbe("quick")
    check = CheckHealth([slow, quick], clock)

    task = await held_at(slow.looking, check())
    await quick.looking.reached.wait()
    clock.advance(0.5)
    slow.looking.open()
    report = await task

    assert report.components[0].latency_ms == 500.0


async def test_a_report_serves_all_callers_for_a_second() -> None:
    clock, probe = FrozenClock(), ScriptedHealthProbe("database")
    check = CheckHealth([probe], clock)

    reports = await asyncio.gather(check(), check())
    clock.advance(MAX_AGE_S / 2)
    await check()

    assert reports[0] is reports[1]
    assert probe.looks == 1


async def test_an_old_report_is_made_anew() -> None:
    clock, probe = FrozenClock(), ScriptedHealthProbe("database")
    check = CheckHealth([probe], clock)
    await check()

    clock.advance(MAX_AGE_S)
    await check()

    assert probe.looks == 2


async def test_a_part_that_says_nothing_for_long_is_unhealthy() -> None:
    probe = ScriptedHealthProbe("database")
    probe.looking.shut()

    report = await CheckHealth([probe], FrozenClock(), timeout_s=0.01)()

    assert report.components[0].health == ComponentHealth(
        status=HealthStatus.UNHEALTHY, detail="no answer within 0.01 seconds"
    )


async def test_a_part_that_fails_is_unhealthy_and_says_why() -> None:
    probe = ScriptedHealthProbe("database")
    probe.looking.fail(UnavailableError("The database cannot be reached."))

    report = await CheckHealth([probe], FrozenClock())()

    assert report.status is HealthStatus.UNHEALTHY
    assert report.components[0].health.detail == "The database cannot be reached."


async def test_what_nobody_has_foreseen_is_logged_and_not_shown() -> None:
    probe = ScriptedHealthProbe("database")
    probe.looking.fail(ValueError("password=hunter2"))

    with capture_logs() as logs:
        report = await CheckHealth([probe], FrozenClock())()

    assert report.components[0].health.detail == "the check itself failed"
    assert [(log["event"], log["component"]) for log in logs] == [
        ("health.probe_failed", "database")
    ]


async def test_those_who_manage_the_team_see_every_part() -> None:
    inspect = InspectHealth(
        check_health=CheckHealth([ScriptedHealthProbe("database")], FrozenClock())
    )

    report = await inspect(an_actor())

    assert [part.name for part in report.components] == ["database"]


async def test_nobody_else_sees_the_parts() -> None:
    inspect = InspectHealth(check_health=CheckHealth([], FrozenClock()))

    with pytest.raises(ForbiddenError):
        await inspect(an_actor(permissions=frozenset({Permission.INVOKE_MODELS})))
