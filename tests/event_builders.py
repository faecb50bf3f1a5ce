"""Events and notifications with defaults that fit those of ``tests.builders``."""

from itertools import count
from typing import Any

from domain.operations.event import Event
from domain.operations.notification import Notification
from domain.shared.ids import EventId, NotificationId
from tests.builders import TEAM_ID, USER_ID
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at

_counter = count(2_000_000)


def an_event(**fields: Any) -> Event:
    """An event of the whole team, with an id of its own that fits ``at``."""
    at = fields.get("at", START)
    defaults: dict[str, Any] = {
        "id": EventId(uuid7_at(at, next(_counter))),
        "team_id": TEAM_ID,
        "at": at,
        "type": "thing.happened",
        "data": {"number": 1},
    }
    return Event(**(defaults | fields))


def a_notification(**fields: Any) -> Notification:
    """An unread one with an id and an event of its own."""
    number = next(_counter)
    defaults: dict[str, Any] = {
        "id": NotificationId(uuid7_at(START, number)),
        "team_id": TEAM_ID,
        "user_id": USER_ID,
        "event_id": EventId(uuid7_at(START, number)),
        "type": "thing.happened",
        "title": f"Thing {number} has happened.",
        "data": {"number": number},
        "created_at": START,
    }
    return Notification(**(defaults | fields))
