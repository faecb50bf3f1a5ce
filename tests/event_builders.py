"""Events and notifications with defaults that fit those of ``tests.builders``."""

from itertools import count
from typing import Any

from domain.operations.event import Event
from domain.shared.ids import EventId
from tests.builders import TEAM_ID
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
