from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.shared.ids import ErrorGroupId, ErrorId, KeyId, TeamId, UserId


class ErrorState(StrEnum):
    """``resolved`` until it happens again; ``ignored`` also then."""

    OPEN = "open"
    RESOLVED = "resolved"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorOccurrence:
    """One technical error: what happened, where and to whom. ``id`` is what the client's answer
    called it. Neither ``message`` nor ``stack`` holds a secret or the content of a request."""

    id: ErrorId
    at: datetime
    fingerprint: str
    code: str
    exception_type: str
    message: str
    stack: str
    route: str | None
    method: str | None
    correlation_id: str
    team_id: TeamId | None
    user_id: UserId | None
    key_id: KeyId | None


@dataclass(slots=True, kw_only=True)
class ErrorGroup:
    """All occurrences of one fingerprint, across teams and processes. ``message`` is that of the
    latest one; ``spiked_at`` is when a spike was last told."""

    id: ErrorGroupId
    fingerprint: str
    code: str
    exception_type: str
    message: str
    route: str | None
    state: ErrorState
    first_seen: datetime
    last_seen: datetime
    count: int
    resolved_at: datetime | None = None
    resolved_by: UserId | None = None
    spiked_at: datetime | None = None

    @classmethod
    def of(cls, first: ErrorOccurrence, group_id: ErrorGroupId) -> "ErrorGroup":
        """The group that this occurrence begins, which has not counted it yet."""
        return cls(
            id=group_id,
            fingerprint=first.fingerprint,
            code=first.code,
            exception_type=first.exception_type,
            message=first.message,
            route=first.route,
            state=ErrorState.OPEN,
            first_seen=first.at,
            last_seen=first.at,
            count=0,
        )

    def happened(self, occurrence: ErrorOccurrence) -> bool:
        """Count an occurrence; returns whether it reopened the group. One from before the group
        was resolved does not, however late it is written down."""
        self.count += 1
        self.first_seen = min(self.first_seen, occurrence.at)
        if occurrence.at >= self.last_seen:
            self.last_seen, self.message = occurrence.at, occurrence.message
        if self.resolved_at is None or occurrence.at <= self.resolved_at:
            return False
        self._be(ErrorState.OPEN)
        return True

    def change(self, state: ErrorState, *, at: datetime, by: UserId | None) -> None:
        """Put the group into that state; resolving it again says nothing new."""
        if state is self.state:
            return
        self._be(state)
        if state is ErrorState.RESOLVED:
            self.resolved_at, self.resolved_by = at, by

    def spikes(self, recent: int, threshold: int, *, at: datetime, silence: timedelta) -> bool:
        """Whether so many recent occurrences are worth telling; remembers that they were. With a
        threshold of 0 they never are."""
        is_told = self.spiked_at is not None and at - self.spiked_at < silence
        is_spike = 0 < threshold <= recent
        if not is_spike or is_told or self.state is ErrorState.IGNORED:
            return False
        self.spiked_at = at
        return True

    def _be(self, state: ErrorState) -> None:
        self.state, self.resolved_at, self.resolved_by = state, None, None
