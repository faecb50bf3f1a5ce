from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.ids import EventId, KeyId, NotificationId, TeamId, UserId

NOTIFICATION_CREATED = "notification.created"

_PERIODS = {"day": "daily", "week": "weekly", "month": "monthly", "total": "total"}
_SUBJECTS = {"team": "of the team", "user": "of a user", "key": "of an API key"}


@dataclass(slots=True, kw_only=True)
class Notification:
    """Tells one member of a team of one event; ``data`` is that of the event."""

    id: NotificationId
    team_id: TeamId
    user_id: UserId
    event_id: EventId
    type: str
    title: str
    data: Mapping[str, object]
    created_at: datetime
    read_at: datetime | None = None

    def announcement(self, event_id: EventId) -> Event:
        """The event that tells the user's open pages of it."""
        return Event(
            id=event_id,
            team_id=self.team_id,
            at=self.created_at,
            type=NOTIFICATION_CREATED,
            data={
                "id": str(self.id),
                "type": self.type,
                "title": self.title,
                "data": dict(self.data),
                "created_at": self.created_at.isoformat(),
            },
            user_id=self.user_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told of an event, and to whom in its team: the user, the user of the key, and
    everybody with the permission."""

    title: str
    user_id: UserId | None = None
    key_id: KeyId | None = None
    permission: Permission | None = None


def notice_of(event: Event) -> Notice | None:
    """``None`` where nobody is notified. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for
    an event that lacks what events of its type say."""
    rule = _RULES.get(event.type)
    return None if rule is None else rule(event)


def _threshold_reached(event: Event) -> Notice:
    subject = event.data["subject"]
    if not isinstance(subject, Mapping):
        raise TypeError("The subject of a budget is an object.")
    kind = subject["kind"]
    period, whose = _PERIODS[str(event.data["period"])], _SUBJECTS[str(kind)]
    return Notice(
        title=f"{event.data['threshold']} % of the {period} budget {whose} is spent.",
        user_id=UserId(UUID(str(subject["id"]))) if kind == "user" else None,
        key_id=KeyId(UUID(str(subject["id"]))) if kind == "key" else None,
        permission=Permission.MANAGE_LIMITS,
    )


def _error_spiked(event: Event) -> Notice:
    return Notice(
        title=f"The error {event.data['code']} has happened {event.data['count']} times lately.",
        permission=Permission.MANAGE_ERRORS,
    )


def _error_regressed(event: Event) -> Notice:
    return Notice(
        title=f"The error {event.data['code']} is back after it was resolved.",
        permission=Permission.MANAGE_ERRORS,
    )


def _job_finished(event: Event) -> Notice:
    title = f"The job '{event.data['job']}' has finished: {event.data['status']}."
    if event.user_id is not None:
        return Notice(title=title, user_id=event.user_id)
    return Notice(title=title, permission=Permission.MANAGE_SERVER)


_RULES: Mapping[str, Callable[[Event], Notice]] = {
    "budget.threshold_reached": _threshold_reached,
    "error.spiked": _error_spiked,
    "error.regressed": _error_regressed,
    "job.finished": _job_finished,
}
