"""The order in which events are delivered.

Ids are made before the commit, and so are the numbers of a sequence: an event with a lower one may
become visible after one with a higher one, and whoever reads on from the higher one misses it.
Events are therefore numbered after their commit. One transaction at a time gives numbers, to all
events that are visible and have none; whoever sees a number has seen every lower one before.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, or_, text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.operations.rows import events
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.ids import EventId, TeamId, UserId

# A newer node may know permissions that nobody has on this one.
KNOWN = or_(events.c.permission.is_(None), events.c.permission.in_(list(map(str, Permission))))

_LOCK_ID = 0x53746F61_00000008
_AT_ONCE = 1000

_ANY_UNNUMBERED = text("SELECT EXISTS (SELECT FROM events WHERE position IS NULL)")
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_NUMBER = text("""
UPDATE events SET position = numbered.position FROM (
    SELECT team_id, id, nextval('event_positions') AS position
    FROM (SELECT team_id, id FROM events WHERE position IS NULL ORDER BY id LIMIT :limit) AS ordered
) AS numbered
WHERE events.team_id = numbered.team_id AND events.id = numbered.id
""")


async def number_events(session: AsyncSession) -> bool:
    """Give a number to every event that was committed before the call. Commits. Returns whether
    there were any without."""
    is_new = False
    # Looked at first, since most of those who come find that another node was quicker.
    while await session.scalar(_ANY_UNNUMBERED):
        is_new = True
        await session.execute(_LOCK, {"lock": _LOCK_ID})
        await session.execute(_NUMBER, {"limit": _AT_ONCE})
        await session.commit()
    await session.rollback()
    return is_new


def event_of(row: RowMapping | Mapping[str, Any]) -> Event:
    return Event(
        id=EventId(row["id"]),
        team_id=TeamId(row["team_id"]),
        at=row["at"],
        type=row["type"],
        data=row["data"],
        user_id=None if row["user_id"] is None else UserId(row["user_id"]),
        permission=None if row["permission"] is None else Permission(row["permission"]),
    )
