from datetime import timedelta

import pytest

from application.operations.run_retention import RunRetention, RunRetentionCommand
from application.shared.auditing import Auditor
from domain.identity.permissions import Permission
from domain.operations.errors import RetentionRunningError
from domain.operations.retention import RecordKind, Removed
from domain.operations.runtime_settings import (
    RETENTION_CALLS_DAYS,
    RETENTION_CONTENTS_DAYS,
    RETENTION_EVENTS_DAYS,
)
from domain.shared.errors import ForbiddenError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, an_actor
from tests.fakes.clock import START, FrozenClock
from tests.fakes.ids import SequentialIds
from tests.fakes.retention import InMemoryOldRecords
from tests.fakes.settings import InMemorySettings, InMemorySettingsUnitOfWork


class Desk:
    def __init__(self) -> None:
        self.database = InMemorySettings()
        self.settings = self.database.runtime
        self.records = InMemoryOldRecords()
        self.database.operators.of_teams = [TEAM_ID, OTHER_TEAM_ID]

    @property
    def run(self) -> RunRetention:
        clock, ids = FrozenClock(), SequentialIds()
        return RunRetention(
            records=self.records,
            runtime=self.settings,
            uow=InMemorySettingsUnitOfWork(self.database),
            auditor=Auditor(clock=clock, ids=ids),
            clock=clock,
            ids=ids,
        )

    def has_events_of(self, *days_ago: int) -> None:
        self.records.times[RecordKind.EVENTS] = [START - timedelta(days=d) for d in days_ago]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_removes_what_is_older_than_its_setting(desk: Desk) -> None:
    desk.settings.set(RETENTION_EVENTS_DAYS, 7)
    desk.has_events_of(1, 6, 8, 9)

    report = await desk.run(RunRetentionCommand())

    assert report[RecordKind.EVENTS] == Removed(records=2)
    assert len(desk.records.times[RecordKind.EVENTS]) == 2


async def test_responses_go_at_the_time_that_they_bear(desk: Desk) -> None:
    await desk.run(RunRetentionCommand())

    assert desk.records.asked[RecordKind.RESPONSES] == START


async def test_accounts_of_budgets_go_five_weeks_after_their_period(desk: Desk) -> None:
    await desk.run(RunRetentionCommand())

    assert desk.records.asked[RecordKind.BUDGETS] == START - timedelta(days=35)


async def test_keeps_for_ever_what_has_zero_days(desk: Desk) -> None:
    desk.settings.set(RETENTION_EVENTS_DAYS, 0)
    desk.has_events_of(10_000)

    report = await desk.run(RunRetentionCommand())

    assert RecordKind.EVENTS not in report
    assert RecordKind.CALLS not in desk.records.asked


@pytest.mark.parametrize(
    ("calls", "contents", "expected"), [(30, 0, 30), (0, 7, 7), (30, 7, 7), (7, 30, 7)]
)
async def test_contents_are_kept_no_longer_than_their_calls(
    desk: Desk, calls: int, contents: int, expected: int
) -> None:
    desk.settings.set(RETENTION_CALLS_DAYS, calls)
    desk.settings.set(RETENTION_CONTENTS_DAYS, contents)

    await desk.run(RunRetentionCommand())

    assert desk.records.asked[RecordKind.CONTENTS] == START - timedelta(days=expected)


async def test_a_dry_run_counts_and_removes_nothing(desk: Desk) -> None:
    desk.has_events_of(1000)

    report = await desk.run(RunRetentionCommand(actor=an_actor(), dry_run=True))

    assert report[RecordKind.EVENTS] == Removed(records=1)
    assert len(desk.records.times[RecordKind.EVENTS]) == 1
    assert (desk.database.events, desk.database.audit) == ([], [])


async def test_tells_the_operators_of_every_team_what_was_removed(desk: Desk) -> None:
    desk.has_events_of(1000, 1000)

    await desk.run(RunRetentionCommand())

    told = {(e.team_id, e.type, e.permission) for e in desk.database.events}
    assert told == {
        (team_id, "job.finished", Permission.MANAGE_SERVER) for team_id in (TEAM_ID, OTHER_TEAM_ID)
    }
    assert desk.database.events[0].data == {
        "job": "retention",
        "status": "succeeded",
        "removed": {"events": 2},
    }


async def test_tells_nobody_when_nothing_was_removed(desk: Desk) -> None:
    await desk.run(RunRetentionCommand())

    assert (desk.database.events, desk.database.audit) == ([], [])


async def test_is_on_record_when_somebody_asked_for_it(desk: Desk) -> None:
    desk.has_events_of(1000)

    await desk.run(RunRetentionCommand(actor=an_actor()))

    (entry,) = desk.database.audit
    assert (entry.action, entry.after) == ("retention.run", {"removed": {"events": 1}})


async def test_leaves_it_to_whoever_is_at_it_already(desk: Desk) -> None:
    desk.records.is_busy = True
    desk.has_events_of(1000)

    with pytest.raises(RetentionRunningError):
        await desk.run(RunRetentionCommand())

    assert len(desk.records.times[RecordKind.EVENTS]) == 1


async def test_asking_for_it_needs_the_permission(desk: Desk) -> None:
    actor = an_actor(permissions=frozenset(Permission) - {Permission.MANAGE_SERVER})

    with pytest.raises(ForbiddenError):
        await desk.run(RunRetentionCommand(actor=actor))
