from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from application.operations.events.notify_of_events import NotifyOfEvents
from application.operations.records.error_reporter import ErrorReporter
from domain.identity.permissions import Role
from domain.operations.event import Event
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_key, a_membership, a_user
from tests.event_builders import a_notification, an_event
from tests.fakes.clock import START, FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import SequentialIds, uuid7_at
from tests.fakes.notifications import InMemoryNotificationsUnitOfWork, NotificationsState

MEMBER_ID = UserId(uuid7_at(START, 30))
OPERATOR_ID = UserId(uuid7_at(START, 31))
GONE_ID = UserId(uuid7_at(START, 32))

Tell = Callable[..., Event]


class Desk:
    """A team with an owner, a member, and an operator who may only look."""

    def __init__(self) -> None:
        self.database = InMemoryIdentity()
        self.state = NotificationsState()
        self.clock = FrozenClock()
        self.ids = SequentialIds()
        self.errors = RecordingErrorLog()
        users = (
            (a_user(), Role.OWNER),
            (a_user(id=MEMBER_ID), Role.MEMBER),
            (a_user(id=OPERATOR_ID, is_operator=True), Role.VIEWER),
            (a_user(id=GONE_ID, is_active=False), Role.OWNER),
        )
        for user, role in users:
            self.database.committed.users[user.id] = user
            membership = a_membership(user_id=user.id, role=role)
            self.database.committed.memberships[TEAM_ID, user.id] = membership

    def happen(self, **fields: Any) -> Event:
        event = an_event(**fields)
        self.database.committed.events.append(event)
        return event

    @property
    def notify(self) -> NotifyOfEvents:
        uow = InMemoryNotificationsUnitOfWork(self.database, self.state)
        reporter = ErrorReporter(errors=self.errors, clock=self.clock, ids=SequentialIds())
        return NotifyOfEvents(uow=uow, clock=self.clock, ids=self.ids, reporter=reporter)

    @property
    def told(self) -> list[tuple[UserId, str]]:
        return [(n.user_id, n.title) for n in self.state.stored]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def a_threshold(kind: str, subject_id: object, **fields: object) -> dict[str, Any]:
    data = {"subject": {"kind": kind, "id": str(subject_id)}, "threshold": 80, "period": "month"}
    return {"type": "budget.threshold_reached", "data": data | fields}


async def test_a_budget_of_the_team_concerns_those_who_manage_limits(desk: Desk) -> None:
    desk.happen(**a_threshold("team", TEAM_ID))

    await desk.notify()

    assert desk.told == [(USER_ID, "80 % of the monthly budget of the team is spent.")]


async def test_a_budget_of_a_user_concerns_the_user_too(desk: Desk) -> None:
    desk.happen(**a_threshold("user", MEMBER_ID, period="total"), user_id=MEMBER_ID)

    await desk.notify()

    title = "80 % of the total budget of a user is spent."
    assert desk.told == [(USER_ID, title), (MEMBER_ID, title)]


async def test_a_budget_of_a_key_concerns_the_keys_user_too(desk: Desk) -> None:
    key = a_key(user_id=MEMBER_ID)
    desk.database.committed.keys[key.id] = key
    desk.happen(**a_threshold("key", key.id, period="day"))

    await desk.notify()

    title = "80 % of the daily budget of an API key is spent."
    assert desk.told == [(USER_ID, title), (MEMBER_ID, title)]


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("error.spiked", "The error BROKEN has happened 21 times lately."),
        ("error.regressed", "The error BROKEN is back after it was resolved."),
    ],
)
async def test_errors_concern_operators(desk: Desk, kind: str, title: str) -> None:
    desk.happen(type=kind, data={"code": "BROKEN", "count": 21, "group_id": "g"})

    await desk.notify()

    assert desk.told == [(OPERATOR_ID, title)]


async def test_a_finished_job_concerns_who_asked_for_it_else_operators(desk: Desk) -> None:
    data = {"job": "retention", "status": "succeeded"}
    desk.happen(type="job.finished", data=data)
    desk.happen(type="job.finished", data=data, user_id=MEMBER_ID)
    desk.happen(type="job.finished", data=data, user_id=GONE_ID)

    await desk.notify()

    title = "The job 'retention' has finished: succeeded."
    assert desk.told == [(OPERATOR_ID, title), (MEMBER_ID, title)]


async def test_other_events_notify_nobody(desk: Desk) -> None:
    desk.happen(type="member.joined")
    desk.happen(**a_threshold("team", OTHER_TEAM_ID), team_id=OTHER_TEAM_ID)

    await desk.notify()

    assert desk.told == []


async def test_a_notification_carries_its_event_and_is_announced_to_its_user(desk: Desk) -> None:
    event = desk.happen(type="error.spiked", data={"code": "BROKEN", "count": 3})

    await desk.notify()

    notification = desk.state.stored[0]
    assert notification.event_id == event.id
    assert notification.type == "error.spiked"
    assert notification.data == event.data
    assert (notification.created_at, notification.read_at) == (START, None)
    announced = desk.database.committed.events[-1]
    assert announced.type == "notification.created"
    assert announced.user_id == OPERATOR_ID
    assert announced.data["id"] == str(notification.id)
    assert announced.data["title"] == notification.title


async def test_going_on_and_other_nodes_tell_nothing_twice(desk: Desk) -> None:
    for _ in range(250):
        desk.happen(type="error.spiked", data={"code": "BROKEN", "count": 3})
    first, other_node = desk.notify, desk.notify

    await first()
    await other_node()
    await first()

    assert len(desk.told) == 250
    assert desk.state.taken == 500


async def test_who_was_told_already_is_not_told_again(desk: Desk) -> None:
    event = desk.happen(type="error.spiked", data={"code": "BROKEN", "count": 3})
    told = a_notification(user_id=OPERATOR_ID, event_id=event.id)
    desk.state.stored.append(told)

    await desk.notify()

    assert desk.state.stored == [told]
    assert desk.database.committed.events == [event]


async def test_an_event_that_makes_no_sense_holds_up_no_other(desk: Desk) -> None:
    desk.happen(type="error.spiked", data={})
    desk.happen(**a_threshold("galaxy", TEAM_ID))
    desk.happen(**a_threshold("user", "nobody"))
    desk.happen(type="budget.threshold_reached", data={"subject": "team"})
    desk.happen(type="error.spiked", data={"code": "BROKEN", "count": 3})

    with capture_logs() as logs:
        await desk.notify()

    assert len(desk.told) == 1
    assert [line["event"] for line in logs] == ["notification.impossible"] * 4
    assert [one.route for one in desk.errors.occurrences] == ["notifications"] * 4
