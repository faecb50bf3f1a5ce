from typing import Self
from uuid import UUID

from msgspec import Struct

from adapters.http.allowances import LimitsView
from application.inference.show_limits import LimitsOfCaller
from domain.identity.allowance import SubjectKind
from domain.inference.rate import Limited, Standing


class LimitedView(Struct, kw_only=True):
    """The limits of one subject that the caller is: a team, a user or a key."""

    subject: SubjectKind
    id: UUID
    limits: LimitsView

    @classmethod
    def of(cls, limited: Limited) -> Self:
        return cls(
            subject=limited.subject.kind,
            id=limited.subject.id,
            limits=LimitsView.of(limited.limits),
        )


class StandingView(Struct, kw_only=True):
    """What remains of a limit per minute, and in how many seconds all of it is there again."""

    limit: int
    remaining: int
    reset_seconds: float

    @classmethod
    def of(cls, standing: Standing | None) -> Self | None:
        if standing is None:
            return None
        return cls(
            limit=standing.limit,
            remaining=standing.remaining,
            reset_seconds=round(standing.reset_s, 3),
        )


class CallerLimitsView(Struct, kw_only=True):
    """All limits of the caller; `requests` and `tokens` are the tightest, null where none is
    set."""

    items: tuple[LimitedView, ...]
    requests: StandingView | None
    tokens: StandingView | None

    @classmethod
    def of(cls, shown: LimitsOfCaller) -> Self:
        return cls(
            items=tuple(map(LimitedView.of, shown.limited)),
            requests=StandingView.of(shown.standings.requests),
            tokens=StandingView.of(shown.standings.tokens),
        )
