from datetime import datetime
from typing import Any, Self
from uuid import UUID

from msgspec import Struct

from adapters.http.page_numbers import numbers_of
from application.operations.records.get_error import ErrorDetail
from application.shared.pagination import Page
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence, ErrorState


class UpdateErrorBody(Struct, kw_only=True, forbid_unknown_fields=True):
    state: ErrorState


class ErrorGroupView(Struct, kw_only=True):
    """All occurrences of one fault. `message` is that of the latest; a `resolved` group reopens
    when it happens again, an `ignored` one stays so."""

    id: UUID
    fingerprint: str
    code: str
    exception_type: str
    message: str
    route: str | None
    state: ErrorState
    count: int
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None
    resolved_by: UUID | None

    @classmethod
    def of(cls, group: ErrorGroup) -> Self:
        return cls(**_members(group))


class OccurrenceView(Struct, kw_only=True):
    """One time that it happened; `id` is the one that the answer gave."""

    id: UUID
    at: datetime
    correlation_id: str
    team_id: UUID | None
    user_id: UUID | None
    key_id: UUID | None
    route: str | None
    method: str | None
    message: str
    stack: str

    @classmethod
    def of(cls, occurrence: ErrorOccurrence) -> Self:
        return cls(**{name: getattr(occurrence, name) for name in cls.__struct_fields__})


class ErrorDetailView(ErrorGroupView, kw_only=True):
    """With its latest occurrences, newest first; the one that was asked for stands before all."""

    occurrences: tuple[OccurrenceView, ...]

    @classmethod
    def of_detail(cls, detail: ErrorDetail) -> Self:
        occurrences = tuple(map(OccurrenceView.of, detail.occurrences))
        return cls(**_members(detail.group), occurrences=occurrences)


class ErrorGroupPage(Struct, kw_only=True):
    items: tuple[ErrorGroupView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[ErrorGroup]) -> Self:
        return cls(
            items=tuple(map(ErrorGroupView.of, page.items)),
            **numbers_of(page),
        )


def _members(group: ErrorGroup) -> dict[str, Any]:
    return {name: getattr(group, name) for name in ErrorGroupView.__struct_fields__}
